import { createHash } from "node:crypto";
import fc from "fast-check";
import { test } from "vitest";
import type { Handoff, MergeOutcome } from "@agentswarm/contracts";
import {
  absorb,
  apply,
  building,
  DEFAULTS,
  handoffOf,
  OUTCOMES,
  planned,
} from "../../testing/make-ledger.ts";
import { inspectStep, must } from "../../testing/inspect-step.ts";
import { answerDecision } from "./decisions/answer-decision.ts";
import { openOne } from "./decisions/kept-decisions.ts";
import { absorbQuestion } from "./questions.ts";
import { decideHeld } from "./decisions/held-landing.ts";
import { cancelTask } from "./cancel-task.ts";
import { cancelFeature, retryTask, setPaused } from "./person-actions.ts";
import { addRevert, revertFeature } from "./revert-feature.ts";
import { absorbHandoff } from "./absorb-handoff.ts";
import { adoptPlan } from "./adopt-plan.ts";
import { decideNext } from "./decide-next.ts";
import { retry } from "./decide-retry.ts";
import { effectId } from "./effects-between.ts";
import type { Ledger } from "./ledger.ts";
import { retryFeature } from "./retry-feature.ts";
import { isUnderWay } from "./task-record.ts";
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
  | { kind: "gone" | "approve" | "refuse" | "retry" | "answer" | "drop"; task: number }
  | { kind: "ask"; task: number; attempt: number; what: number }
  | { kind: "cancel" }
  | { kind: "revert" }
  | { kind: "pause"; on: boolean }
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
        "drop" as const,
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
  { weight: 1, arbitrary: fc.constant({ kind: "revert" as const }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("pause" as const), on: fc.boolean() }) },
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
/** A commit has one landing. */
function outcomeOf(taskId: string, ending: Ending): MergeOutcome | null {
  const outcome = ENDINGS[ending];
  if (outcome?.kind !== "landed" && outcome?.kind !== "already-landed") return outcome;
  return { ...outcome, commit: createHash("sha1").update(`${ending} ${taskId}`).digest("hex") };
}
const PERSON = { by: "ada", via: "rest", why: "", at: 1 } as const;
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
  return {
    handoff: handoffOf(record, attempt, { round, end, outcome }),
    outcome: outcomeOf(record.task.id, ending),
  };
}

function take(ledger: Ledger, message: Message, sent: Delivery[]): Ledger {
  if (message.kind === "money") return apply(ledger, (now) => now, message.left ? null : NO_MONEY);
  if (message.kind === "reopen") return apply(ledger, (now) => retryFeature(now, "ada"));
  if (message.kind === "revert") return apply(ledger, (now) => revertFeature(now, PERSON));
  if (message.kind === "pause") return apply(ledger, (now) => setPaused(now, message.on ? PERSON : null));
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
  if (message.kind === "drop") return apply(ledger, (now) => cancelTask(now, taskId, "ada", ""));
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
    case "revert": {
      const landed = ledger.tasks.flatMap(({ task, commit }) =>
        commit === null ? [] : [{ taskId: task.id, commit }],
      );
      return goOn(apply(ledger, (now) => addRevert(now, landed.toReversed())));
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
      ledger = goOn(apply(ledger, (now) => setPaused(now, null), null));
      for (let attempt = 100; ledger.status === "building"; attempt += 1) {
        must(ledger, attempt < 1_000, "it comes to an end");
        const record = ledger.tasks.find(isUnderWay);
        if (record === undefined) return must(ledger, false, "something is under way");
        const end = endOf(ending);
        const outcome = claimOf(ending);
        const handoff = handoffOf(record, attempt, { end, outcome });
        ledger = goOn(absorb(ledger, handoff, outcomeOf(record.task.id, ending)));
      }
      must(ledger, ledger.status !== "planning", "planning has an end");
    }),
    { numRuns: 500 },
  );
});
