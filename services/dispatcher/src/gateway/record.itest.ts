import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { startReplay } from "@agentswarm/replay";
import { openGateway, type OpenGateway } from "../../testing/open-gateway.ts";
import {
  chunk,
  json,
  startBackend,
  streamed,
  USAGE,
  type Reply,
} from "../../../../test/support/scripted-backend.ts";

const KEY = "a-feature/the-task/work";

interface Call {
  index?: number;
  id?: string;
  function: { name?: string; arguments?: string };
}
interface Choice {
  message?: { tool_calls?: Call[] };
  delta?: { tool_calls?: Call[] };
  finish_reason: string | null;
}

/** Tool calls in chunks with the ids of a real model, and reasoning between them. */
const reads: Reply = streamed(
  chunk({ role: "assistant", reasoning_content: "where to begin" }),
  chunk({ content: "I look " }),
  chunk({ content: "around." }),
  chunk({ tool_calls: [{ index: 0, id: "call_x1", function: { name: "read", arguments: '{"path":' } }] }),
  chunk({ tool_calls: [{ index: 0, function: { arguments: '"a\\n\\"b\\".txt"}' } }] }),
  chunk({ tool_calls: [{ index: 1, id: "call_x2", function: { name: "ls", arguments: "" } }] }),
  chunk({}, "tool_calls"),
);
const cutOff: Reply = streamed(
  chunk({ tool_calls: [{ index: 0, id: "call_x3", function: { name: "write", arguments: '{"path":' } }] }),
  chunk({}, "tool_calls"),
);
const whole = (message: object, finish_reason: string) =>
  json(200, { choices: [{ message, finish_reason }], usage: USAGE });
const write = { id: "call_x4", function: { name: "write", arguments: '{"path":"c.txt","content":"é\\n"}' } };
const writes = whole({ role: "assistant", content: null, tool_calls: [write] }, "tool_calls");
const says = (content: string) => whole({ role: "assistant", content }, "stop");

/** The tool calls and the finish_reason of an answer, streamed or not. */
function read(text: string): { calls: { id: string; name: string; args: string }[]; finish: string } {
  const events = text.startsWith("data:")
    ? text.split("\n").filter((line) => line.startsWith("data: {"))
    : [text];
  const calls: { id: string; name: string; args: string }[] = [];
  let finish = "";
  for (const line of events) {
    const { choices } = JSON.parse(line.replace(/^data: /, "")) as { choices: Choice[] };
    const [choice] = choices;
    const parts = (choice?.delta ?? choice?.message)?.tool_calls ?? [];
    for (const [at, { index = at, id = "", function: part }] of parts.entries()) {
      const call = (calls[index] ??= { id: "", name: "", args: "" });
      Object.assign(call, {
        id: call.id + id,
        name: call.name + (part.name ?? ""),
        args: call.args + (part.arguments ?? ""),
      });
    }
    finish = choice?.finish_reason ?? finish;
  }
  return { calls, finish };
}

/** Plays an agent: calls tools until the model has said twice that it is done, and repeats a request that was cut off. */
async function converse(gateway: OpenGateway): Promise<[string, unknown][]> {
  const messages: object[] = [
    { role: "system", content: `You work.\nSwarm-Key: ${KEY}` },
    { role: "user", content: [{ type: "text", text: "Begin." }] },
  ];
  const made: [string, unknown][] = [];
  for (let [stops, asked] = [0, 0]; stops < 2; asked += 1) {
    const { status, text } = await gateway.call({ messages, stream: asked < 2 });
    expect(status).toBe(200);
    const { calls, finish } = read(text);
    if (finish === "length") continue;
    const tool_calls = calls.map(({ id, name, args }) => ({ id, function: { name, arguments: args } }));
    messages.push({ role: "assistant", content: "", ...(calls.length > 0 ? { tool_calls } : {}) });
    for (const { id, name, args } of calls) {
      made.push([name, JSON.parse(args || "{}")]);
      messages.push({ role: "tool", tool_call_id: id, content: "printed: Swarm-Key: x/y/z" });
    }
    if (finish !== "stop") continue;
    stops += 1;
    messages.push({ role: "user", content: "A check is red." });
  }
  return made;
}

test("the replay of a recorded run makes the same tool calls", async () => {
  const recordDir = mkdtempSync(join(tmpdir(), "swarm-record-"));
  try {
    const READS = ["read", { path: 'a\n"b".txt' }];
    const LS = ["ls", {}];
    const WRITE = ["write", { path: "c.txt", content: "é\n" }];
    await using model = await startBackend(cutOff, reads, says("Done."), writes, says("Now it is."));
    await using recording = await openGateway(model.baseUrl, { recordDir });
    const recorded = await converse(recording);
    expect(recorded).toEqual([READS, LS, WRITE]);
    // The last exchange is written once the agent has it.
    const file = join(recordDir, "a-feature_the-task_work.yaml");
    await expect.poll(() => readFileSync(file, "utf8")).toContain("Now it is.");
    expect(readdirSync(recordDir)).toEqual(["a-feature_the-task_work.yaml"]);

    await using replay = await startReplay({ scenarioDir: recordDir });
    await using playing = await openGateway(replay.url);
    expect(await converse(playing)).toEqual(recorded);
  } finally {
    rmSync(recordDir, { recursive: true });
  }
});
