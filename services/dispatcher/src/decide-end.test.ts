import { expect, test } from "vitest";
import { NO_METRICS } from "@agentswarm/contracts";
import { decideEnd, type AttemptFacts } from "./decide-end.ts";

const COMMIT = "a".repeat(40);
const RESULT = {
  outcome: "complete",
  summary: "done",
  end: "submitted",
  metrics: NO_METRICS,
  headCommit: COMMIT,
};
const FACTS: AttemptFacts = {
  result: RESULT,
  hasBundle: true,
  exit: { code: 0, signal: null },
  parked: null,
  cancelled: false,
  overrun: null,
  doorBroken: false,
  doorExceeded: null,
  overBudget: null,
  usedUp: null,
  modelUnavailable: null,
  reached: null,
  stderrTail: "",
};
const end = (facts: Partial<AttemptFacts>) => decideEnd({ ...FACTS, ...facts });
const EMPTY = { ...RESULT, headCommit: null };

test("a valid result with its commits is taken unchanged", () => {
  expect(end({})).toMatchObject({ end: "submitted", outcome: "complete", headCommit: COMMIT });
});

test("facts from outside the sandbox override its claims", () => {
  expect(end({ cancelled: true }).end).toBe("cancelled");
  expect(end({ overrun: "wall" })).toMatchObject({ end: "limit-reached", headCommit: null });
  expect(end({ overrun: "idle" }).reason).toContain("no sign of life");
  expect(end({ overrun: "budget", overBudget: "the limit of 5 USD was reached" }).reason).toContain("5 USD");
});

test("a limit that ended the sandbox is named, and costs the attempt", () => {
  const ended = end({ result: undefined, exit: { code: null, signal: "SIGKILL" }, reached: "diskBytes" });
  expect(ended).toMatchObject({ end: "resource", reason: expect.stringContaining("diskBytes") });
  expect(end({ reached: "memoryBytes" }).end).toBe("submitted");
});

test("an attempt without a result is lost, unless the sandbox broke the protocol or ran out of resources", () => {
  const none = { result: undefined, exit: { code: null, signal: "SIGKILL" } };
  expect(end(none)).toMatchObject({ end: "lost", outcome: "failed" });
  expect(end({ ...none, doorBroken: true }).end).toBe("failed");
  expect(end({ ...none, stderrTail: "FATAL ERROR: … JavaScript heap out of memory" }).end).toBe("resource");
  expect(end({ ...none, stderrTail: "sh: fork: retry: Resource temporarily unavailable" }).end).toBe(
    "resource",
  );
});

test("an invalid result is a failure with a clear reason", () => {
  for (const garbage of [
    null,
    7,
    "x",
    [],
    {},
    { ...RESULT, headCommit: "--upload-pack=x" },
    { ...RESULT, end: "won" },
  ]) {
    expect(end({ result: garbage })).toMatchObject({ end: "failed", outcome: "failed", headCommit: null });
  }
  expect(end({ result: null }).reason).toContain("cannot be read");
});

test("a claim of work without commits is a failure", () => {
  expect(end({ hasBundle: false })).toMatchObject({ end: "failed", headCommit: null });
  expect(end({ result: EMPTY })).toMatchObject({ end: "failed", outcome: "failed" });
  expect(end({ result: { ...EMPTY, outcome: "blocked" } })).toMatchObject({
    end: "submitted",
    outcome: "blocked",
  });
});

test("a failed result has the reached limit or the unavailable model as its reason", () => {
  const failed = { ...EMPTY, outcome: "failed", end: "failed" };
  expect(end({ result: failed, overBudget: "the limit" })).toMatchObject({
    end: "limit-reached",
    reason: "the limit",
  });
  expect(end({ result: failed, modelUnavailable: "answered 503" })).toMatchObject({
    end: "lost",
    reason: "answered 503",
  });
  expect(end({ overBudget: "the limit" }).end).toBe("submitted");
});

test("a used-up shared budget is the end, unless there is work to land", () => {
  const usedUp = "BUDGET_USD=5 is used up (5.02)";
  const failed = { ...EMPTY, outcome: "failed", end: "failed" };
  const waiting = { end: "budget", outcome: "failed", reason: usedUp, headCommit: null };
  expect(end({ usedUp, result: failed })).toMatchObject(waiting);
  expect(end({ usedUp, result: undefined })).toMatchObject(waiting);
  expect(end({ usedUp, overrun: "budget" })).toMatchObject(waiting);
  expect(end({ usedUp, overBudget: "the limit", result: failed })).toMatchObject(waiting);
  expect(end({ usedUp }).end).toBe("submitted");
  expect(end({ usedUp, overrun: "wall" }).end).toBe("limit-reached");
  expect(end({ usedUp, cancelled: true }).end).toBe("cancelled");
});

test("a sandbox cannot claim an end that is not counted", () => {
  for (const claimed of ["lost", "resource", "cancelled", "budget", "parked"]) {
    expect(end({ result: { ...EMPTY, outcome: "failed", end: claimed } }).end).toBe("failed");
    expect(end({ result: { ...RESULT, end: claimed } })).toMatchObject({ end: "failed", headCommit: null });
  }
});

const QUESTION = { ask: "Which port?", options: [], default: null };
const PARKED = { ...RESULT, outcome: "blocked", end: "parked" };
const asked = (facts: Partial<AttemptFacts>) => end({ parked: QUESTION, ...facts });

test("a parked attempt waits for an answer with the work that it handed over", () => {
  const reason = "waits for an answer: Which port?";
  expect(asked({ result: PARKED })).toMatchObject({
    end: "parked",
    outcome: "blocked",
    reason,
    headCommit: COMMIT,
  });
  expect(asked({ result: PARKED, hasBundle: false })).toMatchObject({ end: "parked", headCommit: null });
});

test("whatever becomes of its agent, its question stands", () => {
  const none = { end: "parked", outcome: "blocked", headCommit: null };
  expect(asked({ result: undefined, overrun: "parked" })).toMatchObject(none);
  expect(asked({ result: undefined, overrun: "wall" })).toMatchObject(none);
  expect(asked({ result: undefined, doorBroken: true })).toMatchObject(none);
  expect(asked({ result: null })).toMatchObject(none);
  expect(asked({ result: { ...EMPTY, outcome: "failed", end: "lost" } })).toMatchObject(none);
  expect(asked({ result: PARKED, usedUp: "BUDGET_USD=5 is used up" })).toMatchObject({ end: "parked" });
});

test("only the dispatcher parks an attempt, and a cancel or submitted work comes before it", () => {
  expect(end({ result: PARKED })).toMatchObject({ end: "failed", headCommit: null });
  expect(asked({ result: PARKED, cancelled: true }).end).toBe("cancelled");
  expect(asked({})).toMatchObject({ end: "submitted", outcome: "complete", headCommit: COMMIT });
});
