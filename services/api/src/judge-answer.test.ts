import { expect, test } from "vitest";
import type { Decision } from "@agentswarm/contracts";
import { answered, LOOKED_AT, makeDecision } from "../testing/make-decision.ts";
import { outcomeOf, refuseAnswer, type GivenAnswer } from "./judge-answer.ts";

const open = makeDecision("d-1");
const NOW = open.askedAt + 10_000;

function judge(
  decision: Partial<Decision>,
  answer: Partial<GivenAnswer> = {},
): [number, string, string] | null {
  const given = {
    id: "answer-1",
    by: "bob",
    via: "rest",
    role: "reviewer",
    option: "approve",
    text: "",
  } as const;
  try {
    refuseAnswer({ ...open, ...decision }, { ...given, head: LOOKED_AT, ...answer }, NOW);
    return null;
  } catch (error) {
    const { status, type, message } = error as { status: number; type: string; message: string };
    return [status, type, message];
  }
}

test("an answer that fits is not refused", () => {
  expect(judge({})).toBeNull();
  expect(judge({ options: [], head: null }, { option: null, text: "Use UTC", head: null })).toBeNull();
  expect(judge({ kind: "question" }, { option: null, text: "Neither of them" })).toBeNull();
});

test.each([
  ["an old head", {}, { head: "b".repeat(40) }, 412, "head-changed", LOOKED_AT],
  [
    "no head, where the decision has one",
    {},
    { head: null },
    428,
    "head-required",
    `If-Match: "${LOOKED_AT}"`,
  ],
  ["a head, where the decision has none", { head: null }, {}, 412, "head-changed", "has no head"],
  ["a role that is too small", {}, { role: "submitter" }, 403, "not-allowed", "role reviewer"],
  [
    "who asked for the feature",
    { needs: { ...open.needs, notBy: ["bob"] } },
    {},
    403,
    "not-allowed",
    "FOUR_EYES",
  ],
  ["an unknown option", {}, { option: "maybe" }, 422, "no-such-option", "one of approve, refuse"],
  ["words instead of an option", {}, { option: null, text: "yes" }, 422, "no-such-option", "one of approve"],
  ["an option, where there are none", { options: [] }, {}, 422, "no-such-option", "a text"],
] as const)("%s is refused", (_, decision, answer, status, type, why) => {
  expect(judge(decision as Partial<Decision>, answer)).toEqual([status, type, expect.stringContaining(why)]);
});

test("the same person does not count twice where several must agree", () => {
  const first = { ...answered(open, "bob", "approve", NOW), state: "open" as const, endedAt: null };
  expect(judge({ ...first, needs: { ...open.needs, count: 2 } })).toEqual([
    403,
    "not-allowed",
    "bob has answered already; it takes 2 different persons",
  ]);
});

test("a late answer is refused with the faster person, their answer and its time", () => {
  expect(judge(answered(open, "ada", "approve", NOW - 2_000))).toEqual([
    409,
    "decided-already",
    "ada answered `approve` 2 s earlier",
  ]);
  const timedOut = {
    state: "timed-out",
    outcome: { option: "refuse", text: "" },
    endedAt: NOW - 60_000,
  } as const;
  expect(judge(timedOut)?.[2]).toBe("its time ran out 60 s earlier, and `refuse` was taken");
  expect(judge({ state: "withdrawn", endReason: "the task was cancelled", endedAt: NOW })?.[2]).toBe(
    "it was withdrawn: the task was cancelled",
  );
});

test("an answer counts once the decision names it, and is refused once the planner has said so", () => {
  const view = { ...open, ledgerVersion: 1, refusals: [] };
  expect(outcomeOf(view, "answer-ada")).toBeNull();
  expect(outcomeOf({ ...view, ...answered(open, "ada", "approve", NOW) }, "answer-ada")).toBe("counted");
  const refusal = {
    answerId: "answer-bob",
    by: "bob",
    code: "decided-already",
    why: "ada was faster",
  } as const;
  expect(() => outcomeOf({ ...view, refusals: [refusal] }, "answer-bob")).toThrow("ada was faster");
});
