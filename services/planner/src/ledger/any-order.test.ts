import fc from "fast-check";
import { test } from "vitest";
import { Fault, type Handoff, type MergeOutcome } from "@agentswarm/contracts";
import {
  absorb,
  apply,
  building,
  DEFAULTS,
  handoffOf,
  OUTCOMES,
  planned,
} from "../../testing/make-ledger.ts";
import { answerDecision } from "./decisions/answer-decision.ts";
import { openOne } from "./decisions/kept-decisions.ts";
import { absorbQuestion } from "./questions.ts";
import { decideHeld } from "./decisions/held-landing.ts";
import { cancelFeature, retryTask } from "./person-actions.ts";
import { absorbHandoff } from "./absorb-handoff.ts";
import { adoptPlan } from "./adopt-plan.ts";
import { decideNext } from "./decide-next.ts";
import { retry } from "./decide-retry.ts";
import { effectId } from "./effects-between.ts";
import { findRecord, standIn } from "./find-tasks.ts";
import { hasEnded, type Ledger } from "./ledger.ts";
import { retryFeature } from "./retry-feature.ts";
import { heldCommit, isOpen, isUnderWay } from "./task-record.ts";
import { takeStep } from "./steps.ts";

/** Results of an attempt: the outcome of its merge, or how it ended without commits. */
const ENDINGS = {
  ...OUTCOMES,
  budget: null,
  again: { kind: "already-landed", commit: "e".repeat(40) },
  nothing: null,
  failed: null,
  lost: null,
  parked: null,
  blocked: null,
} as const satisfies Record<string, MergeOutcome | null>;
const NO_MONEY = { level: "swarm", why: "BUDGET_USD=5 is used up (5.02)" } as const;
type Ending = keyof typeof ENDINGS;

type Message =
  | { kind: "handoff"; task: number; attempt: number; early: number; ending: Ending }
  | { kind: "repeat"; nth: number }
  | { kind: "gone" | "approve" | "refuse" | "retry" | "answer"; task: number }
  | { kind: "ask"; task: number; attempt: number; what: number }
  | { kind: "cancel" }
  | { kind: "reopen" }
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
      kind: fc.constantFrom(
        "gone" as const,
        "approve" as const,
        "refuse" as const,
        "retry" as const,
        "answer" as const,
      ),
      task: nat,
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant("ask" as const),
      task: nat,
      attempt: fc.integer({ min: 1, max: 6 }),
      what: fc.nat({ max: 2 }),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: "cancel" as const }) },
  { weight: 3, arbitrary: fc.constant({ kind: "reopen" as const }) },
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

const endOf = (ending: Ending): Handoff["end"] =>
  ending === "lost" || ending === "failed" || ending === "budget" || ending === "parked"
    ? ending
    : "submitted";
const claimOf = (ending: Ending): Handoff["outcome"] =>
  ending === "blocked" || ending === "parked" ? "blocked" : "complete";
const QUESTION = { options: [], default: null };

interface Delivery {
  handoff: Handoff;
  outcome: MergeOutcome | null;
}

function handoffFor(
  ledger: Ledger,
  { task, attempt, early, ending }: Message & { kind: "handoff" },
): Delivery | null {
  const sent = ledger.tasks.filter((record) => record.round > 0);
  const record = sent[task % Math.max(1, sent.length)];
  if (record === undefined) return null;
  const end = endOf(ending);
  const outcome = claimOf(ending);
  const round = Math.max(1, record.round - early);
  return { handoff: handoffOf(record, attempt, { round, end, outcome }), outcome: ENDINGS[ending] };
}

function take(ledger: Ledger, message: Message, sent: Delivery[]): Ledger {
  if (message.kind === "money") return apply(ledger, (now) => now, message.left ? null : NO_MONEY);
  if (message.kind === "reopen") return apply(ledger, (now) => retryFeature(now, "ada"));
  if (message.kind === "cancel") return apply(ledger, (now) => cancelFeature(now, "ada", 1));
  if (message.kind === "handoff" || message.kind === "repeat") {
    const one = message.kind === "handoff" ? handoffFor(ledger, message) : sent[message.nth % sent.length];
    if (one === null || one === undefined) return ledger;
    sent.push(one);
    const once = absorb(ledger, one.handoff, one.outcome);
    must(once, absorbHandoff(once, one.handoff, one.outcome) === once, "absorbing twice is absorbing once");
    must(once, absorb(once, one.handoff, one.outcome) === once, "a step that changes nothing writes nothing");
    return once;
  }
  const record = ledger.tasks[message.task % ledger.tasks.length];
  if (record === undefined) return ledger;
  const taskId = record.task.id;
  if (message.kind === "retry") return apply(ledger, (now) => retryTask(now, taskId, "ada"));
  if (message.kind === "ask") {
    const { attempt, what } = message;
    const { round } = record;
    const asked = { kind: "question", featureId: "feature-1", taskId, attempt, round, nth: 1 } as const;
    return apply(ledger, (now, facts) =>
      absorbQuestion(now, { ...asked, ask: `${what}?`, ...QUESTION }, facts),
    );
  }
  if (message.kind === "answer") {
    const decisionId = openOne(record.decisions, "question")?.id;
    if (decisionId === undefined) return ledger;
    const given = {
      id: "a-1",
      by: "ada",
      via: "rest",
      role: "admin",
      option: null,
      text: "so",
      head: null,
    } as const;
    return apply(ledger, (now, facts) => answerDecision(now, { decisionId, taskId }, given, facts));
  }
  if (message.kind === "gone")
    return isUnderWay(record) ? apply(ledger, (now) => retry(now, record, "it got lost", "crashes")) : ledger;
  const { kind: decision } = message;
  return apply(ledger, (now, facts) =>
    decideHeld(now, { kind: "approve", taskId, decision, by: "ada", via: "rest" }, facts),
  );
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
    const possible = task.dependsOn.every((id) => standIn(after, id)?.status === "landed");
    const waitsForBudget = possible && after.outOfBudget !== null;
    must(
      after,
      status !== "ready" || waitsForBudget,
      `${task.key} is ready while only the budget is missing`,
    );
    const asked = record.decisions.filter(({ state }) => state === "open");
    must(after, asked.length <= 1, "at most one question about a task is open");
    must(after, status !== "held" || asked[0] !== undefined, "people are asked about what is held");
    const mayBeAsked = status === "held" || (status === "sent" && asked[0]?.kind === "question");
    must(
      after,
      asked[0] === undefined || mayBeAsked,
      "people are asked about what is held, or by an agent at work",
    );
    must(
      after,
      (asked[0]?.head ?? null) === heldCommit(record),
      "they are asked about the commit that is held",
    );
    if (round === (old?.round ?? 0)) continue;
    must(after, possible, `${task.key} is sent after what it depends on`);
    must(after, !hasEnded(after), "nothing of an ended feature is sent");
    // An approved attempt needs no more model calls.
    must(
      after,
      after.outOfBudget === null || record.approvedBy !== null,
      "nothing is sent while a budget is used up",
    );
  }
  const resolves = after.tasks.filter((record) => record.task.kind === "resolve");
  const parents = new Set(resolves.map((record) => record.task.resolve?.taskId));
  must(after, parents.size === resolves.length, "a task has one resolve at most");
  if (hasEnded(after)) return must(after, !after.tasks.some(isOpen), "an ended feature has nothing open");
  const waits = after.tasks.some(isOpen) && !after.tasks.some(isUnderWay);
  const reason = after.status === "held" || after.outOfBudget !== null;
  must(after, !waits || reason, "tasks that wait, wait for a task under way, a person or a budget");
}

/** The steps that the planner takes by itself; the model always answers. */
function goOn(ledger: Ledger): Ledger {
  const next = decideNext(ledger);
  switch (next.kind) {
    case "wait":
      return ledger;
    case "accept":
      return apply(ledger, (now) => ({ ...now, status: "verifying" }));
    case "plan": {
      const key = `again${ledger.planningRound}`;
      const plan = [planned(key), planned(`${key}-b`, key)];
      return goOn(apply(ledger, (now) => adoptPlan(now, plan, DEFAULTS)));
    }
    default:
      return goOn(apply(ledger, (now) => takeStep(now, next, 1)));
  }
}

test("the invariants of the ledger hold for handoffs in any order, repeated and late", () => {
  fc.assert(
    fc.property(plans, fc.array(messages, { maxLength: 40 }), (plan, story) => {
      let ledger = building(plan);
      const effects = new Set(ledger.pending.map(effectId));
      const delivered: Delivery[] = [];
      for (const message of story) {
        const next = goOn(take(ledger, message, delivered));
        inspectStep(ledger, next);
        for (const effect of next.pending.slice(ledger.pending.length)) {
          must(next, !effects.has(effectId(effect)), `${effectId(effect)} is required once`);
          effects.add(effectId(effect));
        }
        for (const { task, round } of next.tasks.filter(isUnderWay))
          must(next, effects.has(`send/${task.id}/${round}`), `${task.key} is under way because it was sent`);
        ledger = next;
      }
    }),
    { numRuns: 1_000 },
  );
});

test("after any history a feature whose attempts all end comes to an end or to a person", () => {
  fc.assert(
    fc.property(plans, fc.array(messages, { maxLength: 20 }), endings, (plan, story, ending) => {
      let ledger = building(plan);
      const delivered: Delivery[] = [];
      for (const message of story) ledger = goOn(take(ledger, message, delivered));
      ledger = goOn(apply(ledger, (now) => now, null));
      for (let attempt = 100; ledger.status === "building"; attempt += 1) {
        must(ledger, attempt < 1_000, "it comes to an end");
        const record = ledger.tasks.find(isUnderWay);
        if (record === undefined) return must(ledger, false, "something is under way");
        const end = endOf(ending);
        const outcome = claimOf(ending);
        ledger = goOn(absorb(ledger, handoffOf(record, attempt, { end, outcome }), ENDINGS[ending]));
      }
      must(ledger, ledger.status !== "planning", "planning has an end");
    }),
    { numRuns: 500 },
  );
});
