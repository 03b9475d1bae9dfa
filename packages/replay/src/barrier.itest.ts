import { expect, test } from "vitest";
import { ask, openReplay } from "../testing/open-replay.ts";

const SCENARIO = `
- key: barrier/one/work
  waitFor: [barrier/two/work, barrier/three/work]
  steps: [{ calls: [{ tool: ls, args: {} }] }, { say: bye }]
- { key: barrier/two/work, answer: two, waitFor: [barrier/one/work] }
- { key: barrier/three/work, answer: three }
- { key: alone/-/work, answer: alone, waitFor: [barrier/nobody/work] }
`;
const NEVER_MS = 3_600_000;

test("an answer waits until all keys of its waitFor have asked", async () => {
  await using replay = await openReplay(SCENARIO, { maxWaitMs: NEVER_MS });
  const order: string[] = [];
  const post = async (name: string, more: object[] = []) => {
    const response = await replay.post({ messages: [...ask(`barrier/${name}/work`), ...more] });
    order.push(name);
    return response;
  };
  const one = post("one");
  const two = post("two");
  await two;
  // Two does not wait any more; one still waits for three.
  expect(order).toEqual(["two"]);
  await post("three");
  expect((await one).status).toBe(200);
  expect(order.toSorted()).toEqual(["one", "three", "two"]);
  expect((await post("two")).status).toBe(200);
});

test("later steps of a conversation do not wait", async () => {
  await using replay = await openReplay(SCENARIO, { maxWaitMs: NEVER_MS });
  const call = {
    id: "barrier/one/work#1",
    type: "function",
    function: { name: "ls", arguments: "{}" },
  };
  const messages = [...ask("barrier/one/work"), { role: "assistant", content: null, tool_calls: [call] }];
  expect(await (await replay.post({ messages })).text()).toContain("bye");
});

test("an answer whose keys never ask comes after the longest wait", async () => {
  await using replay = await openReplay(SCENARIO, { maxWaitMs: 50 });
  const response = await replay.post({ messages: ask("alone/-/work") });
  expect(await response.text()).toContain("alone");
});

test("closing the server ends the requests that wait", async () => {
  const replay = await openReplay(SCENARIO, { maxWaitMs: NEVER_MS });
  const waiting = replay.post({ messages: ask("alone/-/work") });
  // The answer to another request shows that the server has the first one.
  await replay.post({ messages: ask("barrier/three/work") });
  await Promise.all([expect(waiting).rejects.toThrow(), replay[Symbol.asyncDispose]()]);
});
