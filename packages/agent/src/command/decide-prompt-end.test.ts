import { expect, test } from "vitest";
import { agentClaimSchema } from "@agentswarm/contracts";
import { decideTurned, type RunFacts } from "./decide-turned.ts";

const claim = agentClaimSchema.parse({ summary: "Handed over." });
const stopped = { kind: "stopped", stop: { end: "stuck", reason: "in circles" } } as const;
const ended = { code: 0, signal: null, notStarted: null, stderrTail: "" };
const facts = (more: Partial<RunFacts>): RunFacts => ({
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

test("whoever has handed over is done, however it ended", () => {
  for (const more of [{}, { stopped }, { end: failed }, { end: { ...ended, code: null, signal: "SIGKILL" } }])
    expect(decideTurned(facts({ claim, ...more }))).toEqual({ kind: "submitted", claim });
});

test("one that was stopped is told with the reason, not with how it died of it", () => {
  const killed = { ...ended, code: null, signal: "SIGKILL" };
  expect(decideTurned(facts({ stopped, end: killed, lastMessage: "Hm." }))).toBe(stopped);
});

test("the last message counts only of one that ended well", () => {
  expect(decideTurned(facts({ lastMessage: "  All done.\n" }))).toMatchObject({
    kind: "submitted",
    claim: { outcome: "complete", summary: "All done." },
  });
  expect(decideTurned(facts({ lastMessage: "All done.", end: failed }))).toEqual({
    kind: "failed",
    reason: "the agent's program agent failed (exit 1): no model",
  });
});

test("a claim from a long message keeps to its bounds", () => {
  const turned = decideTurned(facts({ lastMessage: "x".repeat(50_000) }));
  expect(turned.kind === "submitted" && agentClaimSchema.parse(turned.claim).summary).toHaveLength(10_000);
});

test("an error without a word is a failure even where the exit says nothing of it", () => {
  expect(decideTurned(facts({ lastError: "401" }))).toMatchObject({
    kind: "failed",
    reason: expect.stringContaining("401"),
  });
});

test("a handoff that cannot be read is told, with the last message or without", () => {
  const problem = "handoff.json is no JSON";
  expect(decideTurned(facts({ problem, lastMessage: "Done." }))).toMatchObject({
    claim: { concerns: [problem] },
  });
  expect(decideTurned(facts({ problem }))).toEqual({
    kind: "stopped",
    stop: { end: "stuck", reason: problem },
  });
});

test("a program that could not be started is told by what is wrong", () => {
  const missing = { ...ended, code: null, notStarted: "ENOENT" };
  expect(decideTurned(facts({ end: missing, claim }))).toMatchObject({
    kind: "failed",
    reason: expect.stringContaining("AGENT_COMMAND_DIR"),
  });
  const forbidden = { ...missing, notStarted: "EACCES" };
  expect(decideTurned(facts({ end: forbidden }))).toMatchObject({
    reason: expect.stringContaining("could not be started: EACCES"),
  });
});
