import { z } from "zod";
import {
  featureStatusSchema,
  featureSubmissionSchema,
  handoffSchema,
  mergeOutcomeSchema,
  taskSchema,
  taskStatusSchema,
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
  reason: z.string().nullable(),
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
});
export type TaskRecord = z.infer<typeof taskRecordSchema>;

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
  redSweeps: z.int().min(0),
  costUsd: z.number().min(0),
  tokens: z.int().min(0),
  finishedAt: z.int().nullable(),
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

export function hasEnded(ledger: Ledger): boolean {
  return ENDED_FEATURE.has(ledger.status);
}

export function findRecord(ledger: Ledger, taskId: string): TaskRecord | undefined {
  return ledger.tasks.find((record) => record.task.id === taskId);
}

/** The ledger with one task's record replaced. */
export function withRecord(ledger: Ledger, taskId: string, change: Partial<TaskRecord>): Ledger {
  const tasks = ledger.tasks.map((record) => (record.task.id === taskId ? { ...record, ...change } : record));
  return { ...ledger, tasks };
}

export function newRecord(task: TaskRecord["task"], signature: string | null = null): TaskRecord {
  return {
    task,
    status: "planned",
    round: 0,
    attemptsUsed: 0,
    crashes: 0,
    reason: null,
    supersededBy: null,
    signature,
    commit: null,
    lastHandoff: null,
    lastOutcome: null,
    approvedBy: null,
    missed: false,
  };
}

export function newLedger(feature: Ledger["feature"], slug: string): Ledger {
  return {
    feature,
    slug,
    status: "planning",
    reason: null,
    planningRound: 1,
    planningWhy: "",
    revisions: [],
    tasks: [],
    redSweeps: 0,
    costUsd: 0,
    tokens: 0,
    finishedAt: null,
  };
}
