import { expect, test } from "vitest";
import type { Sandbox, SandboxProvider } from "@agentswarm/sandbox";
import { endSandboxes } from "./end-sandboxes.ts";

const SPEC = { labels: { swarm: "test", purpose: "gate" } };

/** A provider whose sandboxes take a turn of the event loop to open and to end. */
function fakeProvider() {
  const living = new Set<string>();
  let count = 0;
  const pause = () => new Promise((resolve) => setImmediate(resolve));
  const provider = {
    async open() {
      count += 1;
      const id = `sandbox-${count}`;
      await pause();
      living.add(id);
      const terminate = async () => {
        await pause();
        living.delete(id);
      };
      return { id, terminate } as Sandbox;
    },
  } as unknown as SandboxProvider;
  return { provider, living };
}

test("a stop waits for the end of every sandbox, also of one that is just being opened", async () => {
  const { provider, living } = fakeProvider();
  const stack = new AsyncDisposableStack();
  const ending = endSandboxes(provider, stack);
  const first = await ending.open(SPEC);
  await ending.open(SPEC);
  await first.terminate();
  expect([...living]).toEqual(["sandbox-2"]);
  const third = ending.open(SPEC);
  await stack.disposeAsync();
  await third;
  expect([...living]).toEqual([]);
});

test("a sandbox that is opened after the stop ends at once", async () => {
  const { provider, living } = fakeProvider();
  const stack = new AsyncDisposableStack();
  const ending = endSandboxes(provider, stack);
  await stack.disposeAsync();
  await ending.open(SPEC);
  expect([...living]).toEqual([]);
});
