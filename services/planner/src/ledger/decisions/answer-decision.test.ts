import fc from "fast-check";
import { expect, test } from "vitest";
import type { Decision, DecisionAnswer, EventToSend } from "@agentswarm/contracts";
import {
  absorb,
  applyAt,
  building,
  byKey,
  commit,
  handoffOf,
  OUTCOMES,
  planned,
} from "../../../testing/make-ledger.ts";
import type { Ledger } from "../ledger.ts";
import { answerDecision } from "./answer-decision.ts";
import type { DecisionRules } from "./rules.ts";

type Given = Omit<DecisionAnswer, "at">;

/** A feature with one task, whose first attempt is held. */
function heldTask(rules: Partial<DecisionRules> = {}, by?: string): Ledger {
  const began = building([planned("a")]);
  const ledger = { ...began, feature: { ...began.feature, ...(by === undefined ? {} : { by }) } };
  const { task } = byKey(ledger, "a");
  const held = absorb(ledger, handoffOf(byKey(ledger, "a"), 1), OUTCOMES.held);
  // Asked again by these rules.
  const unasked = { ...held, tasks: held.tasks.map((one) => ({ ...one, decisions: [] })) };
  expect(byKey(unasked, "a").task).toBe(task);
  return applyAt(unasked, 1, (now) => ({ ...now }), { rules });
}

const asked = (ledger: Ledger): Decision => {
  const [decision] = byKey(ledger, "a").decisions;
  if (decision === undefined) throw new Error("nobody is asked");
  return decision;
};
const given = (by: string, change: Partial<Given> = {}): Given => ({
  id: `a-${by}`,
  by,
  via: "rest",
  role: "reviewer",
  option: "approve",
  text: "",
  head: commit,
  ...change,
});
const answer = (ledger: Ledger, one: Given, at = 1_000) =>
  applyAt(ledger, at, (now, facts) => {
    const { id, taskId } = asked(ledger);
    return answerDecision(now, { decisionId: id, taskId }, one, facts);
  });
const eventsOf = (before: Ledger, after: Ledger) =>
  after.pending.slice(before.pending.length).flatMap((one) => (one.kind === "emit" ? [one.event] : []));
const refusalOf = (before: Ledger, one: Given) => {
  const after = answer(before, one);
  expect({ ...after, pending: [] }).toEqual({ ...before, pending: [] });
  return eventsOf(before, after).find((event) => event.type === "answer.refused")?.data;
};

test("a held attempt is a question to people about exactly its commit", () => {
  const before = building([planned("a")]);
  const held = absorb(before, handoffOf(byKey(before, "a"), 1), OUTCOMES.held);
  expect(asked(held)).toMatchObject({
    kind: "landing",
    taskId: byKey(held, "a").task.id,
    attempt: 1,
    head: commit,
    state: "open",
    onTimeout: "hold",
    needs: { role: "reviewer", count: 1, notBy: [] },
  });
  expect(asked(held).ask).toContain("swarm.json");
  expect(eventsOf(before, held)).toContainEqual(expect.objectContaining({ type: "decision.asked" }));
});

test("the first valid answer lands the commit that was looked at", () => {
  const held = heldTask();
  const decided = answer(held, given("ada"));
  expect(byKey(decided, "a")).toMatchObject({
    status: "sent",
    round: 2,
    approvedBy: "ada",
    approvedHead: commit,
  });
  expect(asked(decided)).toMatchObject({ state: "answered", outcome: { option: "approve" }, endedAt: 1_000 });
  expect(eventsOf(held, decided).map(({ type }) => type)).toContain("decision.answered");
  // The same answer, delivered again.
  expect(answer(decided, given("ada"))).toBe(decided);
});

test("a late answer is refused with the name of the faster person", () => {
  const decided = answer(heldTask(), given("ada"));
  const late = answer(decided, given("ben", { option: "refuse" }), 3_000);
  expect(byKey(late, "a")).toBe(byKey(decided, "a"));
  expect(eventsOf(decided, late)).toMatchObject([
    {
      data: {
        code: "decided-already",
        by: "ben",
        answerId: "a-ben",
        why: "ada answered `approve` 2 s earlier",
      },
    },
  ]);
});

test("an answer about another commit, by another role or with no such option decides nothing and says why", () => {
  const held = heldTask();
  expect(refusalOf(held, given("ada", { head: "9".repeat(40) }))).toMatchObject({ code: "head-changed" });
  expect(refusalOf(held, given("ada", { head: null }))).toMatchObject({ code: "head-changed" });
  expect(refusalOf(held, given("ada", { role: "submitter" }))).toMatchObject({
    code: "not-allowed",
    why: "ada is submitter; this decision needs the role reviewer",
  });
  expect(refusalOf(held, given("ada", { option: "maybe" }))).toMatchObject({
    code: "no-such-option",
    why: expect.stringContaining("approve, refuse") as string,
  });
  expect(refusalOf(held, given("ada", { option: null, text: "looks good" }))).toMatchObject({
    code: "no-such-option",
  });
});

test("four eyes: who asked for the feature may not approve its landings", () => {
  const held = heldTask({ fourEyes: true }, "ada");
  expect(refusalOf(held, given("ada"))).toMatchObject({ code: "not-allowed" });
  expect(byKey(answer(held, given("ben")), "a")).toMatchObject({ status: "sent", approvedBy: "ben" });
});

test("where two must approve, two different persons do; one is enough to refuse", () => {
  const held = heldTask({ approvals: 2 });
  const first = answer(held, given("ada"));
  expect(byKey(first, "a")).toMatchObject({ status: "held", decisions: [{ state: "open" }] });
  expect(refusalOf(first, given("ada", { id: "a-again" }))).toMatchObject({ code: "not-allowed" });
  expect(byKey(answer(first, given("ben")), "a")).toMatchObject({ status: "sent", approvedBy: "ada, ben" });
  const refused = answer(first, given("ben", { option: "refuse", text: "leave it alone" }));
  expect(byKey(refused, "a")).toMatchObject({ status: "sent", attemptsUsed: 1, approvedBy: null });
  expect(byKey(refused, "a").task.feedback).toBe("refused by ben: leave it alone");
});

test("of 50 answers in any order and with redeliveries one wins, and each other answer is refused with the name of the faster person", () => {
  const people = Array.from({ length: 50 }, (_, nth) =>
    given(`p${nth}`, { option: nth % 3 === 0 ? "refuse" : "approve" }),
  );
  const orders = fc
    .tuple(
      fc.shuffledSubarray(people, { minLength: 50 }),
      fc.array(fc.constantFrom(...people), { maxLength: 30 }),
    )
    .chain(([once, again]) => fc.shuffledSubarray([...once, ...again], { minLength: 50 + again.length }));
  fc.assert(
    fc.property(orders, (story) => {
      const held = heldTask();
      let ledger = held;
      for (const [nth, one] of story.entries()) ledger = answerOnce(ledger, asked(held), one, 1_000 + nth);
      const emitted = new Map<string, EventToSend>();
      for (const event of eventsOf(held, ledger)) emitted.set(event.id, event);
      const events = [...emitted.values()];
      const winner = story[0]?.by ?? "";
      expect(asked(ledger).answers.map(({ by }) => by)).toEqual([winner]);
      expect(events.filter(({ type }) => type === "decision.answered")).toHaveLength(1);
      const refused = events.flatMap((event) => (event.type === "answer.refused" ? [event.data] : []));
      expect(new Set(refused.map(({ by }) => by))).toEqual(
        new Set(people.map(({ by }) => by).filter((by) => by !== winner)),
      );
      for (const { code, why } of refused)
        expect([code, why.startsWith(`${winner} answered`)]).toEqual(["decided-already", true]);
      expect(byKey(ledger, "a").round).toBe(2);
    }),
    { numRuns: 30 },
  );
});

function answerOnce(ledger: Ledger, { id, taskId }: Decision, one: Given, at: number): Ledger {
  return applyAt(ledger, at, (now, facts) => answerDecision(now, { decisionId: id, taskId }, one, facts));
}
