import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { readRuntime, type ChosenRuntime } from "../../services/dispatcher/src/runtime/read-runtime.ts";
import { type AttemptLab, type AttemptOptions, openAttemptLab } from "./open-attempt-lab.ts";
import { textsOf } from "./read-transcript.ts";
import { DONE, steps } from "./replay-steps.ts";
import { STATE_CHECK } from "./state-check.ts";

/** opencode is 180 MB and no dependency of the repository. AGENT_COMMAND_DIR names its folder. */
const AGENT_COMMAND_DIR = process.env["AGENT_COMMAND_DIR"] ?? "";
const installed = ["bin", "node_modules/.bin"].some((bin) =>
  existsSync(join(AGENT_COMMAND_DIR, bin, "opencode")),
);

const write = (filePath: string, content: string) => ({ tool: "write", args: { filePath, content } });
const writeHandoff = (claim: object) => write("/work/handoff/handoff.json", JSON.stringify(claim));

let lab: AttemptLab;
let chosen: ChosenRuntime;
beforeAll(async () => {
  if (!installed) return;
  lab = await openAttemptLab();
  chosen = await readRuntime({ AGENT_RUNTIME: "command", AGENT_TEMPLATE: "opencode", AGENT_COMMAND_DIR });
});
afterAll(() => lab?.[Symbol.asyncDispose]());
beforeEach(({ skip }) =>
  skip(!installed, "AGENT_COMMAND_DIR names no folder that contains opencode (docs/agent-runtimes.md)"),
);

const attempt = (order: AttemptOptions) => lab.attempt({ ...order, ...chosen });

test("opencode fixes a failed check in its session, and makes no other model calls", async () => {
  const first = steps(write("state.txt", "orange\n"), writeHandoff({ summary: "First." }));
  const { result, taken, transcript, calls } = await attempt({
    steps: [...first, DONE],
    afterFeedback: [
      ...first,
      ...steps(write("state.txt", "green\n"), writeHandoff({ summary: "Fixed." })),
      DONE,
    ],
    checks: [STATE_CHECK],
  });
  expect(result).toMatchObject({
    end: "submitted",
    outcome: "complete",
    summary: "Fixed.",
    filesChanged: ["state.txt"],
    checks: [{ exitCode: 0 }],
    metrics: { turns: 6, toolCalls: 4 },
  });
  expect(calls).toBe(6);
  expect(taken?.kind).toBe("accepted");
  expect(textsOf(transcript, "toolResult")).toEqual(
    Array.from({ length: 4 }, () => "Wrote file successfully."),
  );
});

test("opencode is stuck when it repeats a call", async () => {
  const same = { tool: "bash", args: { command: "cat README.md", description: "Look" } };
  const { result } = await attempt({ steps: steps(...Array.from({ length: 9 }, () => same)) });
  expect(result).toMatchObject({ end: "stuck", outcome: "failed", headCommit: null });
  expect(result.reason).toContain("cat README.md");
});

test("opencode is killed at the limit of turns", async () => {
  const calls = Array.from({ length: 9 }, (_, nth) => write(`src/${nth}.txt`, "x\n"));
  const { result, calls: made } = await attempt({ steps: steps(...calls), limits: { turns: 3 } });
  expect(result).toMatchObject({ end: "limit-reached", reason: "the limit of 3 turns was reached" });
  expect(made).toBe(3);
});

test("the target's own opencode.json is not read", async () => {
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
