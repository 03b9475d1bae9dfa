import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findDocker } from "../../../../test/support/docker-image.ts";
import { openBroker, TOKEN } from "../../testing/open-broker.ts";
import type { Sandbox, SandboxProcess } from "@agentswarm/sandbox";
import { DEFAULT_SANDBOX_IMAGE } from "@agentswarm/sandbox/docker";
import type { Broker } from "../server/start-broker.ts";
import { openBrokerProvider } from "./broker-provider.ts";

const PROGRAMS = 40;
const OUTPUT_BYTES = 4_000_000;
const FLOOD = `head -c ${OUTPUT_BYTES} /dev/zero`;

describe.runIf(findDocker(DEFAULT_SANDBOX_IMAGE))("many programs over one connection", () => {
  let broker: Broker;
  let sandbox: Sandbox;
  beforeAll(async () => {
    broker = await openBroker();
    const provider = await openBrokerProvider({ swarm: "many", url: broker.url, token: TOKEN });
    sandbox = await provider.open({ labels: { swarm: "many", purpose: "test" } });
  });
  afterAll(() => broker[Symbol.asyncDispose]());

  test("a program whose output is not read blocks no other, and loses nothing", async () => {
    const start = () => sandbox.exec(["sh", "-c", FLOOD]);
    const unread: SandboxProcess[] = Array.from({ length: PROGRAMS }, () => start());
    // Paused: there is a reader, but it does not read yet.
    for (const child of unread) child.stdout.pause();
    expect((await sandbox.run(["echo", "alive"], { timeoutMs: 30_000 })).outputTail).toBe("alive\n");
    const lengths = await Promise.all(
      unread.map(async (child) => {
        let length = 0;
        child.stdout.on("data", (chunk: Buffer) => (length += chunk.length)).resume();
        expect(await child.exit).toMatchObject({ code: 0 });
        return length;
      }),
    );
    expect(new Set(lengths)).toEqual(new Set([OUTPUT_BYTES]));
  });

  test("each program gets its own stdin completely, with its end", async () => {
    const answers = await Promise.all(
      Array.from({ length: 10 }, async (_, i) => {
        const child = sandbox.exec(["sh", "-c", "wc -c; sleep 0.1; echo after the end"]);
        let output = "";
        child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
        child.stdin.end(Buffer.alloc(500_000 + i));
        await child.exit;
        return output;
      }),
    );
    expect(answers).toEqual(Array.from({ length: 10 }, (_, i) => `${500_000 + i}\nafter the end\n`));
  });
});
