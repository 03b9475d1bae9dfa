import { DEFAULT_REPO, NO_METRICS, NO_NOTES, type Handoff, type MergeOutcome } from "@agentswarm/contracts";
import type { DecisionRules } from "../src/ledger/decisions/rules.ts";
import type { ReviewRoom } from "../src/ledger/reviews/review-room.ts";
import type { StepFacts } from "../src/ledger/step-facts.ts";
import { absorbHandoff } from "../src/ledger/absorb-handoff.ts";
import { adoptPlan, type TaskDefaults } from "../src/ledger/adopt-plan.ts";
import { applyStep } from "../src/ledger/apply-step.ts";
import { newLedger, type Ledger } from "../src/ledger/ledger.ts";
import type { TaskRecord } from "../src/ledger/task-record.ts";
import { plannedTaskSchema, type PlannedTask } from "../src/ledger/validate-plan.ts";

export const feature = {
  id: "feature-1",
  repoId: DEFAULT_REPO,
  title: "One",
  description: "",
  acceptance: [],
  priority: 5,
  source: "rest" as const,
  createdAt: 1,
};

export const DEFAULTS = { attemptBudget: 2, wallMs: 1_000 };
/** People are asked as with the default settings. */
export const RULES: DecisionRules = {
  waitMs: 4_000,
  onTimeout: "hold",
  approvals: 1,
  fourEyes: false,
  planFromTasks: 0,
  budgets: true,
};
export const commit = "c".repeat(40);
export const tree = "d".repeat(40);

export const OUTCOMES = {
  landed: { kind: "landed", commit, tree, group: 1 },
  conflict: {
    kind: "conflict",
    base: commit,
    theirIntent: "- other work",
    paths: [{ path: "src/x.ts", base: commit, ours: commit, theirs: commit }],
  },
  rejected: { kind: "rejected", check: "test", outputTail: "not ok" },
  unsafe: { kind: "unsafe", why: "a submodule" },
  held: { kind: "held", why: "swarm.json", base: commit },
} as const satisfies Record<string, MergeOutcome>;

/** One task of a plan in a model's answer. */
export function planned(key: string, ...dependsOn: string[]): PlannedTask {
  return plannedTaskSchema.parse({ key, title: key, description: "", dependsOn });
}

/**
 * The ledger after a step, as the store writes it; by default the budgets are as the ledger knows them. Pending effects
 * are kept, so that their number gives each step with effects a version of its own.
 */
export function apply(
  ledger: Ledger,
  step: (ledger: Ledger, facts: StepFacts) => Ledger,
  usedUp: Ledger["outOfBudget"] = ledger.outOfBudget,
): Ledger {
  return applyAt(ledger, 1, step, { usedUp });
}

/** The ledger after a step at this time, by other rules than the default ones. */
export function applyAt(
  ledger: Ledger,
  at: number,
  step: (ledger: Ledger, facts: StepFacts) => Ledger,
  {
    usedUp = ledger.outOfBudget,
    reviews = null,
    rules = {},
  }: Partial<{
    usedUp: Ledger["outOfBudget"];
    reviews: ReviewRoom | null;
    rules: Partial<DecisionRules>;
  }> = {},
): Ledger {
  const facts = { usedUp, reviews, version: ledger.pending.length + 1, at, rules: { ...RULES, ...rules } };
  return applyStep(ledger, (now, read) => now && step(now, read), facts) ?? ledger;
}

/** The ledger after a handoff. */
export function absorb(ledger: Ledger, handoff: Handoff, outcome: MergeOutcome | null): Ledger {
  return apply(ledger, (now) => absorbHandoff(now, handoff, outcome));
}

/** The ledger of a feature that is being built by this plan: by default `a`, and `b` after it. */
export function building(
  tasks: readonly PlannedTask[] = [planned("a"), planned("b", "a")],
  defaults: TaskDefaults = DEFAULTS,
): Ledger {
  return apply(newLedger(feature, "one"), (ledger) => adoptPlan(ledger, tasks, defaults));
}

/** The newest task of that key. */
export function byKey(ledger: Ledger, key: string): TaskRecord {
  const record = ledger.tasks.findLast((one) => one.task.key === key);
  if (record === undefined) throw new Error(`no task ${key}`);
  return record;
}

export function statuses(ledger: Ledger): string[] {
  return ledger.tasks.map((record) => `${record.task.key} ${record.status}`);
}

/** The handoff of an attempt of the task's current round. */
export function handoffOf(
  { task, round }: TaskRecord,
  attempt: number,
  change: Partial<Handoff> = {},
): Handoff {
  return {
    taskId: task.id,
    attempt,
    round,
    outcome: "complete",
    end: "submitted",
    summary: "done",
    ...NO_NOTES,
    metrics: { ...NO_METRICS, tokensIn: 10, costUsd: 0.5 },
    headCommit: commit,
    model: "m",
    ...change,
  };
}
