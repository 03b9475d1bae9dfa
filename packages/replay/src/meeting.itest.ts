import { expect, test } from "vitest";
import { ask, openReplay } from "../testing/open-replay.ts";

const SCENARIO = `
- key: meet/one/work
  waitFor: [meet/two/work, meet/three/work]
  steps: [{ calls: [{ tool: ls, args: {} }] }, { say: bye }]
- { key: meet/two/work, answer: two, waitFor: [meet/one/work] }
- { key: meet/three/work, answer: three }
- { key: alone/-/work, answer: alone, waitFor: [meet/nobody/work] }
`;
const NEVER_MS = 3_600_000;

test("an answer waits until all it waits for have asked", async () => {
  await using replay = await openReplay(SCENARIO, { longestWaitMs: NEVER_MS });
  const order: string[] = [];
  const post = async (name: string, more: object[] = []) => {
    const response = await replay.post({ messages: [...ask(`meet/${name}/work`), ...more] });
    order.push(name);
    return response;
  };
  const one = post("one");
  const two = post("two");
  await two;
  // Two has met one, which still waits for three.
  expect(order).toEqual(["two"]);
  await post("three");
  expect((await one).status).toBe(200);
  expect(order.toSorted()).toEqual(["one", "three", "two"]);
  expect((await post("two")).status).toBe(200);
});

test("later steps of a conversation do not wait", async () => {
  await using replay = await openReplay(SCENARIO, { longestWaitMs: NEVER_MS });
  const call = {
    id: "meet/one/work#1",
    type: "function",
    function: { name: "ls", arguments: "{}" },
  };
  const messages = [...ask("meet/one/work"), { role: "assistant", content: null, tool_calls: [call] }];
  expect(await (await replay.post({ messages })).text()).toContain("bye");
});

test("a meeting that does not come about ends after the longest wait, with the answer", async () => {
  await using replay = await openReplay(SCENARIO, { longestWaitMs: 50 });
  const response = await replay.post({ messages: ask("alone/-/work") });
  expect(await response.text()).toContain("alone");
});

test("a caller that waits keeps the server from ending no longer than its close", async () => {
  const replay = await openReplay(SCENARIO, { longestWaitMs: NEVER_MS });
  const waiting = replay.post({ messages: ask("alone/-/work") });
  // Another answer shows that the server is at it.
  await replay.post({ messages: ask("meet/three/work") });
  await Promise.all([expect(waiting).rejects.toThrow(), replay[Symbol.asyncDispose]()]);
});
