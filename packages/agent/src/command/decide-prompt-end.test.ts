import { expect, test } from "vitest";
import { agentClaimSchema } from "@agentswarm/contracts";
import { decidePromptEnd, type CommandRunFacts } from "./decide-prompt-end.ts";

const claim = agentClaimSchema.parse({ summary: "Handed over." });
const stopped = { kind: "stopped", stop: { end: "stuck", reason: "a loop" } } as const;
const ended = { code: 0, signal: null, notStarted: null, stderrTail: "" };
const facts = (more: Partial<CommandRunFacts>): CommandRunFacts => ({
  program: "agent",
  end: ended,
  claim: null,
  problem: null,
  stopped: null,
  lastMessage: "",
  lastError: "",
  ...more,
});
const failed = { ...ended, code: 1, stderrTail: "no model" };

test("a handoff counts, however the program ended", () => {
  for (const more of [{}, { stopped }, { end: failed }, { end: { ...ended, code: null, signal: "SIGKILL" } }])
    expect(decidePromptEnd(facts({ claim, ...more }))).toEqual({ kind: "submitted", claim });
});

test("a stopped program ends with the reason of the stop, not with its signal", () => {
  const killed = { ...ended, code: null, signal: "SIGKILL" };
  expect(decidePromptEnd(facts({ stopped, end: killed, lastMessage: "Hm." }))).toBe(stopped);
});

test("the last message counts only when the program exits with 0", () => {
  expect(decidePromptEnd(facts({ lastMessage: "  All done.\n" }))).toMatchObject({
    kind: "submitted",
    claim: { outcome: "complete", summary: "All done." },
  });
  expect(decidePromptEnd(facts({ lastMessage: "All done.", end: failed }))).toEqual({
    kind: "failed",
    reason: "the agent's program agent failed (exit 1): no model",
  });
});

test("a summary from a long message fits the schema", () => {
  const end = decidePromptEnd(facts({ lastMessage: "x".repeat(50_000) }));
  expect(end.kind === "submitted" && agentClaimSchema.parse(end.claim).summary).toHaveLength(10_000);
});

test("an error without a message is a failure, even with exit 0", () => {
  expect(decidePromptEnd(facts({ lastError: "401" }))).toMatchObject({
    kind: "failed",
    reason: expect.stringContaining("401"),
  });
});

test("an invalid handoff is a concern beside a last message, and the reason of stuck without one", () => {
  const problem = "handoff.json is not JSON";
  expect(decidePromptEnd(facts({ problem, lastMessage: "Done." }))).toMatchObject({
    claim: { concerns: [problem] },
  });
  expect(decidePromptEnd(facts({ problem }))).toEqual({
    kind: "stopped",
    stop: { end: "stuck", reason: problem },
  });
});

test("a program that could not be started fails with the cause", () => {
  const missing = { ...ended, code: null, notStarted: "ENOENT" };
  expect(decidePromptEnd(facts({ end: missing, claim }))).toMatchObject({
    kind: "failed",
    reason: expect.stringContaining("AGENT_COMMAND_DIR"),
  });
  const forbidden = { ...missing, notStarted: "EACCES" };
  expect(decidePromptEnd(facts({ end: forbidden }))).toMatchObject({
    reason: expect.stringContaining("could not be started: EACCES"),
  });
});
