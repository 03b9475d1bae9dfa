import fc from "fast-check";
import { test } from "vitest";
import { Fault, type Handoff, type MergeOutcome } from "@agentswarm/contracts";
import { building, DEFAULTS, handoffOf, OUTCOMES, planned } from "../../testing/make-ledger.ts";
import { cancelFeature, decideHeld, retryTask } from "../people.ts";
import { absorbHandoff, retry } from "./absorb-handoff.ts";
import { adoptPlan } from "./adopt-plan.ts";
import { decideNext } from "./decide-next.ts";
import { effectId, effectsBetween } from "./effects-between.ts";
import { findRecord, hasEnded, isOpen, isUnderWay, standIn, type Ledger } from "./ledger.ts";
import { noteBudget } from "./note-budget.ts";
import { settle } from "./settle.ts";
import { takeStep } from "./steps.ts";

/** What came of an attempt: how the merger settled it, or how it ended without commits. */
const ENDINGS = {
  ...OUTCOMES,
  budget: null,
  again: { kind: "already-landed", commit: "e".repeat(40) },
  nothing: null,
  failed: null,
  lost: null,
} as const satisfies Record<string, MergeOutcome | null>;
const NO_MONEY = { level: "swarm", why: "BUDGET_USD=5 is used up (5.02)" } as const;
type Ending = keyof typeof ENDINGS;

type Message =
  | { kind: "handoff"; task: number; attempt: number; early: number; ending: Ending }
  | { kind: "repeat"; nth: number }
  | { kind: "gone" | "approve" | "refuse" | "retry"; task: number }
  | { kind: "cancel" }
  | { kind: "money"; left: boolean };

const nat = fc.nat({ max: 20 });
const endings = fc.constantFrom(...(Object.keys(ENDINGS) as Ending[]));
const messages: fc.Arbitrary<Message> = fc.oneof(
  {
    weight: 40,
    arbitrary: fc.record({
      kind: fc.constant("handoff" as const),
      task: nat,
      attempt: fc.integer({ min: 1, max: 6 }),
      early: fc.constantFrom(0, 0, 0, 1),
      ending: endings,
    }),
  },
  { weight: 10, arbitrary: fc.record({ kind: fc.constant("repeat" as const), nth: nat }) },
  {
    weight: 15,
    arbitrary: fc.record({
      kind: fc.constantFrom("gone" as const, "approve" as const, "refuse" as const, "retry" as const),
      task: nat,
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: "cancel" as const }) },
  { weight: 10, arbitrary: fc.record({ kind: fc.constant("money" as const), left: fc.boolean() }) },
);
/** Plans whose tasks depend on earlier ones only. */
const plans = fc
  .array(fc.uniqueArray(fc.nat({ max: 4 }), { maxLength: 2 }), { minLength: 1, maxLength: 5 })
  .map((picks) =>
    picks.map((earlier, nth) =>
      planned(`t${nth}`, ...earlier.filter((one) => one < nth).map((one) => `t${one}`)),
    ),
  );

const endOf = (ending: Ending) =>
  ending === "lost" || ending === "failed" || ending === "budget" ? ending : "submitted";

interface Told {
  handoff: Handoff;
  outcome: MergeOutcome | null;
}

function handoffFor(
  ledger: Ledger,
  { task, attempt, early, ending }: Message & { kind: "handoff" },
): Told | null {
  const sent = ledger.tasks.filter((record) => record.round > 0);
  const record = sent[task % Math.max(1, sent.length)];
  if (record === undefined) return null;
  const end = endOf(ending);
  const round = Math.max(1, record.round - early);
  return { handoff: handoffOf(record, attempt, { round, end }), outcome: ENDINGS[ending] };
}

function take(ledger: Ledger, message: Message, told: Told[]): Ledger {
  if (message.kind === "money") return noteBudget(ledger, message.left ? null : NO_MONEY);
  if (message.kind === "cancel") return cancelFeature(ledger, "ada", 1);
  if (message.kind === "handoff" || message.kind === "repeat") {
    const one = message.kind === "handoff" ? handoffFor(ledger, message) : told[message.nth % told.length];
    if (one === null || one === undefined) return ledger;
    told.push(one);
    const once = absorbHandoff(ledger, one.handoff, one.outcome);
    must(once, absorbHandoff(once, one.handoff, one.outcome) === once, "absorbing twice is absorbing once");
    return once;
  }
  const record = ledger.tasks[message.task % ledger.tasks.length];
  if (record === undefined) return ledger;
  const taskId = record.task.id;
  if (message.kind === "retry") return retryTask(ledger, taskId, "ada");
  if (message.kind === "gone")
    return isUnderWay(record) ? settle(retry(ledger, record, "it got lost", false)) : ledger;
  return decideHeld(ledger, { kind: "approve", taskId, decision: message.kind, by: "ada" });
}

function must(ledger: Ledger, holds: boolean, what: string): void {
  if (holds) return;
  const shown = ledger.tasks.map(({ task, status, round }) => `${task.key} ${status} ${round}`).join(", ");
  throw new Fault("internal", `broken: ${what} [${ledger.status}: ${shown}]`);
}

function inspectStep(before: Ledger, after: Ledger): void {
  for (const record of after.tasks) {
    const { task, status, round } = record;
    const old = findRecord(before, task.id);
    const stays = status === "landed" && record.commit === old?.commit;
    must(after, old?.status !== "landed" || stays, "what landed stays landed, by that commit");
    must(after, round >= (old?.round ?? 0), "rounds only grow");
    must(after, record.attemptsUsed <= task.attemptBudget, "the budget holds");
    if (task.kind === "resolve") {
      const parent = findRecord(after, task.parentId ?? "");
      must(after, parent?.task.kind === "build", "a resolve is never of a resolve");
    }
    if (round === (old?.round ?? 0)) continue;
    const ready = task.dependsOn.every((id) => standIn(after, id)?.status === "landed");
    must(after, ready, `${task.key} is sent after what it depends on`);
    must(after, !hasEnded(after), "nothing of an ended feature is sent");
    // What a person approved has its work behind it.
    must(
      after,
      after.waiting === null || record.approvedBy !== null,
      "nothing is sent that nobody can pay for",
    );
  }
  const kinds = after.tasks.filter((record) => record.task.kind === "resolve");
  const parents = new Set(kinds.map((record) => record.task.resolve?.taskId));
  must(after, parents.size === kinds.length, "a task has one resolve at most");
  if (hasEnded(after)) return must(after, !after.tasks.some(isOpen), "an ended feature has nothing open");
  const waits = after.tasks.some(isOpen) && !after.tasks.some(isUnderWay);
  const reason = after.status === "held" || after.waiting !== null;
  must(after, !waits || reason, "what waits, waits for work, for a person or for money");
}

/** What the planner does by itself; a model that is asked has always an answer. */
function goOn(ledger: Ledger): Ledger {
  const next = decideNext(ledger);
  switch (next.kind) {
    case "wait":
      return ledger;
    case "accept":
      return { ...ledger, status: "verifying" };
    case "plan": {
      const key = `again${ledger.planningRound}`;
      return goOn(adoptPlan(ledger, [planned(key), planned(`${key}-b`, key)], DEFAULTS));
    }
    default:
      return goOn(takeStep(ledger, next, 1));
  }
}

test("in whatever order, how often and how late it is told what came of attempts, the ledger keeps its promises", () => {
  fc.assert(
    fc.property(plans, fc.array(messages, { maxLength: 40 }), (plan, story) => {
      let ledger = building(plan);
      const sent = new Set(effectsBetween(null, ledger, 1).map(effectId));
      const told: Told[] = [];
      for (const [nth, message] of story.entries()) {
        const next = goOn(take(ledger, message, told));
        inspectStep(ledger, next);
        for (const effect of effectsBetween(ledger, next, nth + 2)) {
          must(next, !sent.has(effectId(effect)), `${effectId(effect)} is done once`);
          sent.add(effectId(effect));
        }
        for (const { task, round } of next.tasks.filter(isUnderWay))
          must(next, sent.has(`send/${task.id}/${round}`), `${task.key} is under way because it was sent`);
        ledger = next;
      }
    }),
    { numRuns: 1_000 },
  );
});

test("whatever has happened, a feature that is told of each attempt comes to an end or to a person", () => {
  fc.assert(
    fc.property(plans, fc.array(messages, { maxLength: 20 }), endings, (plan, story, ending) => {
      let ledger = building(plan);
      const told: Told[] = [];
      for (const message of story) ledger = goOn(take(ledger, message, told));
      ledger = goOn(noteBudget(ledger, null));
      for (let attempt = 100; ledger.status === "building"; attempt += 1) {
        must(ledger, attempt < 1_000, "it comes to an end");
        const record = ledger.tasks.find(isUnderWay);
        if (record === undefined) return must(ledger, false, "something is under way");
        const end = endOf(ending);
        ledger = goOn(absorbHandoff(ledger, handoffOf(record, attempt, { end }), ENDINGS[ending]));
      }
      must(ledger, ledger.status !== "planning", "planning has an end");
    }),
    { numRuns: 500 },
  );
});
