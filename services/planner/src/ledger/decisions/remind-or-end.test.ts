import { expect, test } from "vitest";
import {
  absorb,
  applyAt,
  building,
  byKey,
  handoffOf,
  OUTCOMES,
  planned,
} from "../../../testing/make-ledger.ts";
import type { Ledger } from "../ledger.ts";
import { cancelFeature } from "../person-actions.ts";
import { askDecision } from "./ask-decision.ts";
import { openOne } from "./kept-decisions.ts";
import { remindOrEnd } from "./remind-or-end.ts";
import type { DecisionRules } from "./rules.ts";

const ASKED_AT = 1;
/** As in RULES of the test ledgers. */
const WAIT_MS = 4_000;

const held = () => {
  const ledger = building([planned("a")]);
  return absorb(ledger, handoffOf(byKey(ledger, "a"), 1), OUTCOMES.held);
};
const newest = (ledger: Ledger) => byKey(ledger, "a").decisions.at(-1);
const lookAt = (ledger: Ledger, at: number) =>
  applyAt(ledger, at, (now, facts) => {
    const { id = "", taskId = null } = newest(ledger) ?? {};
    return remindOrEnd(now, { decisionId: id, taskId }, facts);
  });
const newsOf = (before: Ledger, after: Ledger) =>
  after.pending.slice(before.pending.length).flatMap((one) => {
    if (one.kind === "due") return [`due ${one.nth} at ${one.at}`];
    return one.kind === "emit" && one.event.type.startsWith("decision.") ? [one.event.type] : [];
  });

test("people are reminded at half of the time, once more at three quarters, and at its end the decision is overdue and waits", () => {
  const asked = held();
  expect(newsOf(building([planned("a")]), asked)).toEqual([`due 0 at ${ASKED_AT + 2_000}`, "decision.asked"]);
  expect(lookAt(asked, ASKED_AT + 1_999)).toBe(asked);
  const half = lookAt(asked, ASKED_AT + 2_000);
  expect(newsOf(asked, half)).toEqual([`due 1 at ${ASKED_AT + 3_000}`, "decision.reminded"]);
  expect(lookAt(half, ASKED_AT + 2_000)).toBe(half);
  const escalated = lookAt(half, ASKED_AT + 3_000);
  expect(newsOf(half, escalated)).toEqual([`due 2 at ${ASKED_AT + WAIT_MS}`, "decision.reminded"]);
  const overdue = lookAt(escalated, ASKED_AT + WAIT_MS);
  expect(newsOf(escalated, overdue)).toEqual(["decision.timed-out"]);
  expect(newest(overdue)).toMatchObject({
    state: "open",
    endReason: "nobody answered within 4 seconds; it still waits",
  });
  expect(byKey(overdue, "a").status).toBe("held");
  expect(lookAt(overdue, ASKED_AT + 2 * WAIT_MS)).toBe(overdue);
});

test("after an outage what is late happens at once, and only the newest reminder is emitted", () => {
  const asked = held();
  const ended = lookAt(asked, ASKED_AT + 10 * WAIT_MS);
  expect(newsOf(asked, ended)).toEqual(["decision.reminded", "decision.timed-out"]);
  expect(newest(ended)?.reminded).toBe(2);
});

const askedBy = (rules: Partial<DecisionRules>, question: { default: string | null; options: string[] }) => {
  const ledger = building([planned("a")]);
  const { task } = byKey(ledger, "a");
  const options = question.options.map((id) => ({ id, label: id }));
  const what = {
    taskId: task.id,
    attempt: 1,
    nth: 1,
    head: null,
    ask: "Which?",
    options,
    default: question.default,
  };
  return applyAt(ledger, ASKED_AT, (now, facts) => askDecision(now, { kind: "question", ...what }, facts), {
    rules,
  });
};

test("a question of an agent takes its default, which is an option or a text", () => {
  const option = lookAt(askedBy({}, { default: "red", options: ["red", "blue"] }), ASKED_AT + WAIT_MS);
  expect(newest(option)).toMatchObject({
    state: "timed-out",
    outcome: { option: "red", text: "" },
    endReason: "nobody answered within 4 seconds: the default was taken",
  });
  const text = lookAt(askedBy({}, { default: "use red", options: [] }), ASKED_AT + WAIT_MS);
  expect(newest(text)?.outcome).toEqual({ option: null, text: "use red" });
  const none = lookAt(askedBy({}, { default: null, options: [] }), ASKED_AT + WAIT_MS);
  expect(newest(none)).toMatchObject({ state: "open", outcome: null });
});

test("with DECISION_TIMEOUT=refuse a landing that nobody looked at is refused", () => {
  const asked = held();
  const tasks = asked.tasks.map((record) => ({ ...record, decisions: [] }));
  const strict = applyAt({ ...asked, tasks }, ASKED_AT, (now) => ({ ...now }), {
    rules: { onTimeout: "refuse" },
  });
  const ended = lookAt(strict, ASKED_AT + WAIT_MS);
  expect(newest(ended)).toMatchObject({ state: "timed-out", outcome: { option: "refuse" } });
  expect(byKey(ended, "a")).toMatchObject({ status: "sent", attemptsUsed: 1 });
  expect(byKey(ended, "a").task.feedback).toContain("nobody answered within 4 seconds");
});

test("without an end nothing is ever due", () => {
  const asked = askedBy({ waitMs: null }, { default: "red", options: ["red"] });
  expect(newest(asked)).toMatchObject({ dueAt: null });
  expect(newsOf(building([planned("a")]), asked)).toEqual(["decision.asked"]);
  expect(lookAt(asked, 10 ** 12)).toBe(asked);
});

test("a question is withdrawn when its object is gone: landed, cancelled, run again, or another question", () => {
  const landed = absorb(held(), handoffOf(byKey(held(), "a"), 1), OUTCOMES.landed);
  expect(newest(landed)).toMatchObject({
    state: "withdrawn",
    endReason: `the task has landed as ${"c".repeat(12)}`,
  });
  const asked = held();
  const cancelled = applyAt(asked, 2, (now) => cancelFeature(now, "ada", 2));
  expect(newest(cancelled)).toMatchObject({
    state: "withdrawn",
    endReason: "the task is cancelled: cancelled by ada",
  });
  expect(newsOf(asked, cancelled)).toEqual(["decision.withdrawn"]);
  const question = askedBy({}, { default: null, options: [] });
  const failed = absorb(question, handoffOf(byKey(question, "a"), 1, { end: "lost" }), null);
  expect(newest(failed)).toMatchObject({ state: "withdrawn", endReason: "the task is run again" });
  const submitted = absorb(question, handoffOf(byKey(question, "a"), 1), OUTCOMES.held);
  expect(byKey(submitted, "a").decisions).toMatchObject([
    { kind: "question", state: "withdrawn" },
    { kind: "landing", state: "open" },
  ]);
});

test("of the decisions about a task only the newest are kept, and ended ones in short", () => {
  let ledger = building([planned("a")]);
  const { id: taskId } = byKey(ledger, "a").task;
  for (let nth = 1; nth <= 30; nth += 1)
    ledger = applyAt(ledger, nth, (now, facts) =>
      askDecision(
        now,
        {
          kind: "question",
          taskId,
          attempt: 1,
          nth,
          head: null,
          ask: "?".repeat(5_000),
          options: [],
          default: null,
        },
        facts,
      ),
    );
  const { decisions } = byKey(ledger, "a");
  expect(decisions).toHaveLength(21);
  expect(openOne(decisions)).toBe(decisions.at(-1));
  expect(JSON.stringify(decisions.slice(0, 20)).length).toBeLessThan(20_000);
});
