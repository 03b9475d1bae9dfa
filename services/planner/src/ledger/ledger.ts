import { z } from "zod";
import {
  eventToSendSchema,
  featureStatusSchema,
  featureSubmissionSchema,
  forecastSchema,
  handoffSchema,
  mergeOutcomeSchema,
  sweepReasonSchema,
  taskSchema,
  taskStatusSchema,
  usedUpSchema,
} from "@agentswarm/contracts";

/** One task in the ledger. */
export const taskRecordSchema = z.object({
  task: taskSchema,
  status: taskStatusSchema,
  /** How often it was sent. */
  round: z.int().min(0),
  /** Attempts that ended by the agent's doing. */
  attemptsUsed: z.int().min(0),
  /** Attempts that ended by the machine's doing. */
  crashes: z.int().min(0),
  /** What its attempts have cost together. */
  costUsd: z.number().min(0).default(0),
  tokens: z.int().min(0).default(0),
  reason: z.string().nullable(),
  /** Tasks that are to end first, however they end: they work on the same lines. */
  after: z.array(z.string()).default([]),
  /** The task that takes its place, after a conflict. */
  supersededBy: z.string().nullable(),
  /** The failure it mends; fix tasks only. */
  signature: z.string().nullable(),
  /** The commit on the trunk. */
  commit: z.string().nullable(),
  lastHandoff: handoffSchema.nullable(),
  lastOutcome: mergeOutcomeSchema.nullable(),
  /** A person's approval that goes with the next sending. */
  approvedBy: z.string().nullable(),
  /** Set by the audit when the sent job was not to be found; a second time it is sent again. */
  missed: z.boolean(),
  /** Attempts and outcomes taken in already, as `<attempt>/<outcome>`. */
  absorbed: z.array(z.string()),
});
export type TaskRecord = z.infer<typeof taskRecordSchema>;

/** Something that a written step of the ledger calls for. All of it may be done twice. */
export const effectSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("send"), taskId: z.string(), round: z.int().min(1) }),
  z.object({ kind: z.literal("cancel"), taskId: z.string(), round: z.int().min(1) }),
  z.object({ kind: z.literal("sweep"), why: sweepReasonSchema, jobId: z.string() }),
  z.object({ kind: z.literal("cap"), version: z.int().min(1) }),
  z.object({ kind: z.literal("tell"), event: eventToSendSchema }),
]);
export type Effect = z.infer<typeof effectSchema>;

/** Everything the planner knows about one feature: the truth about plan and states. */
export const ledgerSchema = z.object({
  feature: featureSubmissionSchema,
  slug: z.string(),
  status: featureStatusSchema,
  reason: z.string().nullable(),
  /** Planning rounds begun; the first plan is round 1. */
  planningRound: z.int().min(0),
  /** Why this round plans again; told to the model. */
  planningWhy: z.string(),
  /** Parsed plans, one per round that got so far. */
  revisions: z.array(
    z.object({ number: z.int().min(1), round: z.int().min(1), taskIds: z.array(z.string()) }),
  ),
  tasks: z.array(taskRecordSchema),
  /** Sweeps, by their messages, that did not find the trunk green with the feature's landings in it and nobody mending it. */
  redSweeps: z.array(z.string()),
  costUsd: z.number().min(0),
  tokens: z.int().min(0),
  /** Which budget is used up, so that nothing of the feature is sent; null while there is something left. */
  waiting: usedUpSchema.nullable().default(null),
  /** What the newest plan will cost. */
  forecast: forecastSchema.nullable().default(null),
  finishedAt: z.int().nullable(),
  /** What the steps so far call for and is not known to be done; a crash leaves it for the next audit. */
  pending: z.array(effectSchema),
});
export type Ledger = z.infer<typeof ledgerSchema>;

const OPEN_TASK = new Set(["planned", "ready", "sent", "running", "landing"]);
const ENDED_FEATURE = new Set(["done", "failed", "cancelled"]);

export function isOpen(record: TaskRecord): boolean {
  return OPEN_TASK.has(record.status);
}

/** Whether a job of it may be in a queue now. */
export function isUnderWay(record: TaskRecord): boolean {
  return record.status === "sent" || record.status === "running" || record.status === "landing";
}

/** Whether something may still come of it: it is open, or waits for a person. */
export function isUnsettled(record: TaskRecord): boolean {
  return isOpen(record) || record.status === "held";
}

export function hasEnded(ledger: Ledger): boolean {
  return ENDED_FEATURE.has(ledger.status);
}

/** In these a feature may still send tasks or ask the model. */
const SPENDING = new Set(["queued", "planning", "building", "held"]);

/** Which budget a feature waits for, or null when it has nothing to spend on. */
export function waitsFor({ status, waiting }: Pick<Ledger, "status" | "waiting">): Ledger["waiting"] {
  return SPENDING.has(status) ? waiting : null;
}

export function findRecord(ledger: Pick<Ledger, "tasks">, taskId: string): TaskRecord | undefined {
  return ledger.tasks.find((record) => record.task.id === taskId);
}

/** The record of a task whose commits are on the trunk, or of the one that took its place after a conflict. */
export function standIn(ledger: Ledger, taskId: string): TaskRecord | null {
  let found = findRecord(ledger, taskId) ?? null;
  for (let hops = 0; found !== null && found.supersededBy !== null && hops < ledger.tasks.length; hops += 1) {
    if (found.status === "landed") return found;
    found = findRecord(ledger, found.supersededBy) ?? null;
  }
  return found;
}

/** The ledger with one task's record replaced. */
export function withRecord(ledger: Ledger, taskId: string, change: Partial<TaskRecord>): Ledger {
  const tasks = ledger.tasks.map((record) => (record.task.id === taskId ? { ...record, ...change } : record));
  return { ...ledger, tasks };
}

export function newRecord(
  task: TaskRecord["task"],
  signature: string | null = null,
  after: readonly string[] = [],
): TaskRecord {
  return {
    task,
    after: [...after],
    status: "planned",
    round: 0,
    attemptsUsed: 0,
    crashes: 0,
    costUsd: 0,
    tokens: 0,
    reason: null,
    supersededBy: null,
    signature,
    commit: null,
    lastHandoff: null,
    lastOutcome: null,
    approvedBy: null,
    missed: false,
    absorbed: [],
  };
}

export function newLedger(feature: Ledger["feature"], slug: string): Ledger {
  return {
    feature,
    slug,
    status: "queued",
    reason: null,
    planningRound: 1,
    planningWhy: "",
    revisions: [],
    tasks: [],
    redSweeps: [],
    costUsd: 0,
    tokens: 0,
    waiting: null,
    forecast: null,
    finishedAt: null,
    pending: [],
  };
}
