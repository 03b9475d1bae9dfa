import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { readRuntime, type ChosenRuntime } from "../../services/dispatcher/src/runtime/read-runtime.ts";
import { openLab, steps, type Lab, type Order } from "./attempt-lab.ts";

/** opencode itself is 180 MB and no dependency of ours: who has it names its folder. */
const AGENT_COMMAND_DIR = process.env["AGENT_COMMAND_DIR"] ?? "";
const present = ["bin", "node_modules/.bin"].some((bin) =>
  existsSync(join(AGENT_COMMAND_DIR, bin, "opencode")),
);

const STATE = {
  name: "state",
  command: "grep -q green state.txt || { cat state.txt; exit 3; }",
  timeoutMs: 10_000,
};
const done = { say: "Done." };
const write = (filePath: string, content: string) => ({ tool: "write", args: { filePath, content } });
const handOver = (claim: object) => write("/work/handoff/handoff.json", JSON.stringify(claim));

let lab: Lab;
let chosen: ChosenRuntime;
beforeAll(async () => {
  if (!present) return;
  lab = await openLab();
  chosen = await readRuntime({ AGENT_RUNTIME: "command", AGENT_TEMPLATE: "opencode", AGENT_COMMAND_DIR });
});
afterAll(() => lab?.[Symbol.asyncDispose]());
beforeEach(({ skip }) =>
  skip(!present, "AGENT_COMMAND_DIR names no folder with opencode in it (docs/agent-runtimes.md)"),
);

const attempt = (order: Order) => lab.attempt({ ...order, ...chosen });

test("opencode fixes failing checks in its session, and asks the model for nothing else", async () => {
  const first = steps(write("state.txt", "orange\n"), handOver({ summary: "First." }));
  const { result, taken, transcript, calls } = await attempt({
    steps: [...first, done],
    afterFeedback: [
      ...first,
      ...steps(write("state.txt", "green\n"), handOver({ summary: "Mended." })),
      done,
    ],
    checks: [STATE],
  });
  expect(result).toMatchObject({
    end: "submitted",
    outcome: "complete",
    summary: "Mended.",
    filesChanged: ["state.txt"],
    checks: [{ exitCode: 0 }],
    metrics: { turns: 6, toolCalls: 4 },
  });
  expect(calls).toBe(6);
  expect(taken?.kind).toBe("accepted");
  expect(transcript.filter((entry) => entry.role === "toolResult").map((entry) => entry.text)).toEqual(
    Array.from({ length: 4 }, () => "Wrote file successfully."),
  );
});

test("opencode going in circles is stuck", async () => {
  const same = { tool: "bash", args: { command: "cat README.md", description: "Look" } };
  const { result } = await attempt({ steps: steps(...Array.from({ length: 9 }, () => same)) });
  expect(result).toMatchObject({ end: "stuck", outcome: "failed", headCommit: null });
  expect(result.reason).toContain("cat README.md");
});

test("opencode is ended at the limit of turns", async () => {
  const calls = Array.from({ length: 9 }, (_, nth) => write(`src/${nth}.txt`, "x\n"));
  const { result, calls: made } = await attempt({ steps: steps(...calls), limits: { turns: 3 } });
  expect(result).toMatchObject({ end: "limit-reached", reason: "the limit of 3 turns was reached" });
  expect(made).toBe(3);
});

test("what the target says about opencode changes nothing", async () => {
  await lab.commit({
    "opencode.json": JSON.stringify({
      permission: "deny",
      model: "other/model",
      provider: { swarm: { options: { baseURL: "http://127.0.0.1:9/v1" } } },
    }),
  });
  const { result } = await attempt({ steps: [...steps(write("src/b.txt", "b\n")), { say: "b." }] });
  expect(result).toMatchObject({ end: "submitted", outcome: "complete", summary: "b." });
});
