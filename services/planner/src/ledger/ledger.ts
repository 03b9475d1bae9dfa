import { z } from "zod";
import {
  eventToSendSchema,
  featureStatusSchema,
  featureSubmissionSchema,
  forecastSchema,
  handoffSchema,
  liftEvent,
  mergeOutcomeSchema,
  sweepReasonSchema,
  taskSchema,
  taskStatusSchema,
  usedUpSchema,
} from "@agentswarm/contracts";

/**
 * The states that the ledger knows. The ledger changes with handoffs and people's decisions only; that a sent task is
 * `running` or `landing` is known from the events of its attempt, by the read model of the api.
 */
const ledgerTaskStatusSchema = taskStatusSchema.exclude(["running", "landing"]);

/** One task in the ledger. */
export const taskRecordSchema = z.object({
  task: taskSchema,
  status: ledgerTaskStatusSchema,
  /** Number of times that the task was sent. */
  round: z.int().min(0),
  /** Attempts that failed because of the agent. */
  attemptsUsed: z.int().min(0),
  /** Attempts that failed because of the infrastructure. */
  crashes: z.int().min(0),
  /** Cost of all attempts in US dollars. */
  costUsd: z.number().min(0).default(0),
  tokens: z.int().min(0).default(0),
  reason: z.string().nullable(),
  /**
   * Tasks that change the same lines and must end first, whether they land or fail. Example: the resolves of tasks `a`
   * and `b` both change src/x.ts; the resolve of `b` has the id of the resolve of `a` here.
   */
  after: z.array(z.string()).default([]),
  /** The resolve task that replaces this task after a conflict. */
  supersededBy: z.string().nullable(),
  /** Signature of the failure that the task fixes; fix tasks and their resolves only. */
  signature: z.string().nullable(),
  /** The commit on the trunk; null until the task has landed. */
  commit: z.string().nullable(),
  lastHandoff: handoffSchema.nullable(),
  lastOutcome: mergeOutcomeSchema.nullable(),
  /** The person who approved the held attempt; sent with the current round. */
  approvedBy: z.string().nullable(),
  /** The commit that this person approved; null in documents of version 0.1. */
  approvedHead: z.string().nullable().default(null),
  /** True when the last audit did not find the job of the sent task. If the next audit misses it too, it is sent again. */
  missed: z.boolean(),
  /**
   * Handoffs that were absorbed, as `<attempt>/<outcome>`, so that a redelivery changes nothing. Example: attempt 1 ended
   * without commits, attempt 2 was held and then landed: `["1/none", "2/held", "2/landed"]`.
   */
  absorbed: z.array(z.string()),
});
export type TaskRecord = z.infer<typeof taskRecordSchema>;

/** An action that a step of the ledger requires. Every effect is idempotent. */
export const effectSchema = z.preprocess(
  liftOldEffect,
  z.discriminatedUnion("kind", [
    z.object({ kind: z.literal("send"), taskId: z.string(), round: z.int().min(1) }),
    z.object({ kind: z.literal("cancel"), taskId: z.string(), round: z.int().min(1) }),
    z.object({ kind: z.literal("sweep"), why: sweepReasonSchema, jobId: z.string() }),
    z.object({ kind: z.literal("cap"), version: z.int().min(1) }),
    z.object({ kind: z.literal("emit"), event: eventToSendSchema }),
  ]),
);
export type Effect = z.infer<typeof effectSchema>;

/** Everything that the planner knows about one feature: the one record of its plan and states. */
export const ledgerSchema = z.preprocess(
  liftOldLedger,
  z.object({
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
    /** Parsed plans, one per round that produced one. */
    revisions: z.array(
      z.object({ number: z.int().min(1), round: z.int().min(1), taskIds: z.array(z.string()) }),
    ),
    tasks: z.array(taskRecordSchema),
    /** Ids of red sweeps that covered this feature's landings while no fix task was open. */
    redSweeps: z.array(z.string()),
    /** Cost of the attempts and of the planner's own model calls in US dollars. */
    costUsd: z.number().min(0),
    tokens: z.int().min(0),
    /** Ids of the newest model calls of the planner that are part of the sums, so that none is added twice. */
    chargedCalls: z.array(z.string()).default([]),
    /** The budget that is used up, so that nothing of the feature is sent; null while every budget has something left. */
    outOfBudget: usedUpSchema.nullable().default(null),
    /** Expected cost of the newest plan. */
    forecast: forecastSchema.nullable().default(null),
    finishedAt: z.int().nullable(),
    /** Effects of the steps so far that are not known to be done; after a crash the next audit carries them out. */
    pending: z.array(effectSchema),
  }),
);
export type Ledger = z.infer<typeof ledgerSchema>;

/** Documents of version 0.1 have `waiting` for `outOfBudget`. */
function liftOldLedger(document: unknown): unknown {
  if (!isRecord(document) || !("waiting" in document)) return document;
  const { waiting, ...rest } = document;
  return { outOfBudget: waiting, ...rest };
}

/** Pending effects of version 0.1 have `tell` for `emit`, and the events of that version. */
function liftOldEffect(effect: unknown): unknown {
  if (!isRecord(effect) || effect["kind"] !== "tell") return effect;
  return { ...effect, kind: "emit", event: liftEvent(effect["event"]) };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const OPEN_TASK: ReadonlySet<TaskRecord["status"]> = new Set(["planned", "ready", "sent"]);
const ENDED_FEATURE: ReadonlySet<Ledger["status"]> = new Set(["done", "failed", "cancelled"]);

/** Whether the task can still be sent or is sent. */
export function isOpen(record: TaskRecord): boolean {
  return OPEN_TASK.has(record.status);
}

/** Whether a job of the task may be in a queue now: waiting, running or landing. */
export function isUnderWay(record: TaskRecord): boolean {
  return record.status === "sent";
}

/** Whether the task can still land without a retry by a person: it is open, or held for a decision. */
export function isUnsettled(record: TaskRecord): boolean {
  return isOpen(record) || record.status === "held";
}

export function hasEnded(ledger: Ledger): boolean {
  return ENDED_FEATURE.has(ledger.status);
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

export function findRecord(ledger: Pick<Ledger, "tasks">, taskId: string): TaskRecord | undefined {
  return ledger.tasks.find((record) => record.task.id === taskId);
}

/**
 * The task itself, or the resolve that replaced it after a conflict, however often that happened. Example: `a` conflicted
 * and is superseded by `a-resolve`; the stand-in of `a` is `a-resolve`. If a late attempt of `a` lands after all, it is `a`.
 */
export function standIn(ledger: Ledger, taskId: string): TaskRecord | null {
  let found = findRecord(ledger, taskId) ?? null;
  for (let hops = 0; found !== null && found.supersededBy !== null && hops < ledger.tasks.length; hops += 1) {
    if (found.status === "landed") return found;
    found = findRecord(ledger, found.supersededBy) ?? null;
  }
  return found;
}

/**
 * Keys that a later plan may depend on, each with the id of the task that landed under it. Example: `a` landed, `b`
 * conflicted and `b-resolve` landed: `a` → id of a, `b` → id of b-resolve, `b-resolve` → id of b-resolve.
 */
export function namesThatLanded(ledger: Ledger): Map<string, string> {
  const names = new Map<string, string>();
  for (const { task } of ledger.tasks) {
    const landed = standIn(ledger, task.id);
    if (landed?.status === "landed") names.set(task.key, landed.task.id);
  }
  return names;
}

/** The commit of a held task that waits for a person; null when the task is not held. */
export function heldCommit({ status, lastHandoff }: TaskRecord): string | null {
  return status === "held" ? (lastHandoff?.headCommit ?? null) : null;
}

/** The ledger with fields of one task's record replaced. */
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
    approvedHead: null,
    missed: false,
    absorbed: [],
  };
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
    forecast: null,
    finishedAt: null,
    pending: [],
  };
}
