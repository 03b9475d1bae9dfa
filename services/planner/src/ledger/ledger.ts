import { z } from "zod";
import {
  answeredQuestionSchema,
  decisionSchema,
  featureRevertSchema,
  featureStatusSchema,
  featureSubmissionSchema,
  forecastSchema,
  noteSchema,
  pauseSchema,
  usedUpSchema,
} from "@agentswarm/contracts";
import { effectSchema } from "./effect.ts";
import { isRecord } from "./is-record.ts";
import type { Rest } from "./not-read.ts";
import { taskRecordSchema, UNSENT, type TaskRecord } from "./task-record.ts";

const revertStateSchema = featureRevertSchema.extend({
  /** Ids of the landed tasks that a task of the revert takes back. */
  covered: z.array(z.string()),
  /** Ids of the tasks that take them back. */
  taskIds: z.array(z.string()),
});

/** What the planner knows about one feature as a whole. A step that changes only tasks does not write it. */
export const headSchema = z.object({
  feature: featureSubmissionSchema,
  slug: z.string(),
  /** W3C traceparent of the message that created the feature; null for features of the system and old documents. */
  trace: z.string().nullable().default(null),
  status: featureStatusSchema,
  reason: z.string().nullable(),
  /** Planning rounds begun; the first plan is round 1. */
  planningRound: z.int().min(0),
  /** Planning rounds before a person retried the feature. They do not count against its limit. */
  roundsBefore: z.int().min(0).default(0),
  /** Why this round plans again; part of the prompt. */
  planningWhy: z.string(),
  /** Plans of this round that were refused. They use up no planning round. */
  refusedPlans: z.int().min(0).default(0),
  /** Why the last of them was refused; part of the prompt, beside `planningWhy`. */
  refusal: z.string().default(""),
  /** Ids of red sweeps that covered this feature's landings while no fix task was open. */
  redSweeps: z.array(z.string()),
  /** Ids of the newest model calls of the planner that are part of the sums, so that none is added twice. */
  chargedCalls: z.array(z.string()).default([]),
  /** The budget that is used up, so that nothing of the feature is sent; null while every budget has something left. */
  outOfBudget: usedUpSchema.nullable().default(null),
  /** Why ready tasks wait until people have looked at held landings; null while none waits for that. */
  outOfReviews: z.string().nullable().default(null),
  /** Expected cost of the newest plan. */
  forecast: forecastSchema.nullable().default(null),
  finishedAt: z.int().nullable(),
  /** What people were asked about the feature as a whole, oldest first. */
  decisions: z.array(decisionSchema).default([]),
  /** Questions that its agents asked, counted anew when people have decided to go on (decision `review`). */
  questions: z.int().min(0).default(0),
  /** What people said to all agents of the feature. */
  notes: z.array(noteSchema).default([]),
  /** What people answered to its agents, oldest first. */
  answers: z.array(answeredQuestionSchema).default([]),
  /** Who paused the feature; null while it goes on. */
  paused: pauseSchema.nullable().default(null),
  /** Who has the feature taken back; null for one that is not reverted. */
  revert: revertStateSchema.nullable().default(null),
});
export type Head = z.infer<typeof headSchema>;

/** A plan that was adopted: one for each planning round that produced one. */
export const revisionSchema = z.object({
  number: z.int().min(1),
  round: z.int().min(1),
  taskIds: z.array(z.string()),
});

/** A whole ledger as one document: how version 0.1 stored it. */
export const ledgerSchema = z.preprocess(
  liftOldLedger,
  headSchema.extend({
    revisions: z.array(revisionSchema),
    tasks: z.array(taskRecordSchema),
    /** Cost of the attempts and of the planner's own model calls in US dollars. */
    costUsd: z.number().min(0),
    tokens: z.int().min(0),
    /** Effects of the steps so far that are not known to be done; after a crash the next audit carries them out. */
    pending: z.array(effectSchema),
    /** Ids of tasks whose change may move others that were not looked at yet: a further step looks at them. */
    due: z.array(z.string()).default([]),
  }),
);

/**
 * A feature's ledger, as far as it was read: `tasks`, `revisions`, `pending` and `due` hold only what was read or is new.
 * Decisions ask for tasks by the functions below, which throw NotRead for what the store has to read first. Sums and
 * counts are of the whole ledger.
 */
export type Ledger = z.infer<typeof ledgerSchema> & {
  /** What was not read; absent when the ledger was read whole. */
  readonly rest?: Rest;
};

/** Documents of version 0.1 have `waiting` for `outOfBudget`, and do not say which tasks are to be looked at. */
function liftOldLedger(document: unknown): unknown {
  if (!isRecord(document)) return document;
  const { waiting, ...rest } = document;
  const lifted = "waiting" in document ? { outOfBudget: waiting, ...rest } : document;
  return "due" in document ? lifted : { ...lifted, due: unsentTasks(document["tasks"]) };
}

function unsentTasks(records: unknown): unknown[] {
  if (!Array.isArray(records)) return [];
  return records.flatMap((record: unknown) => {
    if (!isRecord(record) || !UNSENT.has(record["status"] as TaskRecord["status"])) return [];
    return isRecord(record["task"]) ? [record["task"]["id"]] : [];
  });
}

const ENDED_FEATURE: ReadonlySet<Ledger["status"]> = new Set(["done", "failed", "cancelled"]);

export function hasEnded(ledger: Ledger): boolean {
  return ENDED_FEATURE.has(ledger.status);
}

/** Whether tasks of the feature may be sent now: it is not paused, and every budget has something left. */
export function maySend({ outOfBudget, paused }: Pick<Ledger, "outOfBudget" | "paused">): boolean {
  return outOfBudget === null && paused === null;
}

/** States in which a feature may still send tasks or call the model. */
const SPENDING: ReadonlySet<Ledger["status"]> = new Set(["queued", "planning", "building", "held"]);

/** The used-up budget that stops a feature; null when no budget does, or when the feature has nothing left to pay for. */
export function budgetWaitedFor({
  status,
  outOfBudget,
}: Pick<Ledger, "status" | "outOfBudget">): Ledger["outOfBudget"] {
  return SPENDING.has(status) ? outOfBudget : null;
}

/** The ledger with fields of one task's record replaced. */
export function withRecord(ledger: Ledger, taskId: string, change: Partial<TaskRecord>): Ledger {
  const tasks = ledger.tasks.map((record) => (record.task.id === taskId ? { ...record, ...change } : record));
  return { ...ledger, tasks };
}

/** The tasks of a ledger that are new or another record than before. */
export function changedTasks(before: Ledger | null, after: Ledger): readonly TaskRecord[] {
  const old = new Set(before?.tasks);
  return after.tasks.filter((record) => !old.has(record));
}

export function newLedger(feature: Ledger["feature"], slug: string, trace: Ledger["trace"] = null): Ledger {
  return {
    feature,
    slug,
    trace,
    status: "queued",
    reason: null,
    planningRound: 1,
    roundsBefore: 0,
    planningWhy: "",
    refusedPlans: 0,
    refusal: "",
    revisions: [],
    tasks: [],
    redSweeps: [],
    costUsd: 0,
    tokens: 0,
    chargedCalls: [],
    outOfBudget: null,
    outOfReviews: null,
    forecast: null,
    finishedAt: null,
    decisions: [],
    questions: 0,
    notes: [],
    answers: [],
    paused: null,
    revert: null,
    pending: [],
    due: [],
  };
}
