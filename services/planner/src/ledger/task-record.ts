import { z } from "zod";
import {
  answeredQuestionSchema,
  decisionSchema,
  handoffSchema,
  mergeOutcomeSchema,
  noteSchema,
  parkedWorkSchema,
  taskSchema,
  taskStatusSchema,
} from "@agentswarm/contracts";

/**
 * The states that the ledger knows. The ledger changes with handoffs and people's decisions only; that a sent task is
 * `running` or `landing` is known from the events of its attempt, by the read model of the api.
 */
const ledgerTaskStatusSchema = taskStatusSchema.exclude(["running", "landing"]);

const givenAnswerSchema = answeredQuestionSchema.extend({
  /** The round in which it was given; 0: to the task that this one takes the place of. */
  round: z.int().min(0),
  /** Milliseconds since 1970, Redis time. */
  at: z.int(),
});
export type GivenAnswer = z.infer<typeof givenAnswerSchema>;

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
  /** Attempts of a resolve that conflicted, because others landed while the agent worked. */
  conflicts: z.int().min(0).default(0),
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
  /**
   * Handoffs that were absorbed, as `<attempt>/<outcome>`, so that a redelivery changes nothing. Example: attempt 1 ended
   * without commits, attempt 2 was held and then landed: `["1/none", "2/held", "2/landed"]`.
   */
  absorbed: z.array(z.string()),
  /** What people were asked about this task, oldest first; at most one of them is open. */
  decisions: z.array(decisionSchema).default([]),
  /** What people said to this task's agents. What was said to the whole feature is in the head. */
  notes: z.array(noteSchema).default([]),
  /** How many notes of the feature and of the task the message of the current round carries. */
  notesSent: z.object({ feature: z.int().min(0), task: z.int().min(0) }).default({ feature: 0, task: 0 }),
  /** Ids of the notes, of the task and of the feature, that an attempt of the current round or an earlier one heard. */
  heard: z.array(z.string()).default([]),
  /** The commits of the attempt that waits for an answer: the next round goes on upon them. */
  parked: parkedWorkSchema.nullable().default(null),
  /** Questions of its agents that are answered, or whose default holds: a part of every later round. */
  answers: z.array(givenAnswerSchema).default([]),
});
export type TaskRecord = z.infer<typeof taskRecordSchema>;

/** Tasks that are not sent yet. A blocked task is one of them: what it depends on may be retried, or land late. */
export const UNSENT: ReadonlySet<unknown> = new Set<TaskRecord["status"]>(["planned", "ready", "blocked"]);
/** States of open tasks. */
export const OPEN = ["planned", "ready", "sent"] as const;
/** States of tasks that can still land without a retry by a person. */
export const UNSETTLED = [...OPEN, "held"] as const;
const OPEN_TASK: ReadonlySet<TaskRecord["status"]> = new Set(OPEN);
/** Whether the task can still be sent or is sent. */
export function isOpen(record: TaskRecord): boolean {
  return OPEN_TASK.has(record.status);
}

/** Whether the task may be sent by a later step. */
export function isUnsent(record: TaskRecord): boolean {
  return UNSENT.has(record.status);
}

/** Whether a job of the task may be in a queue now: waiting, running or landing. */
export function isUnderWay(record: TaskRecord): boolean {
  return record.status === "sent";
}

/** Whether the task can still land without a retry by a person: it is open, or held for a decision. */
export function isUnsettled(record: TaskRecord): boolean {
  return isOpen(record) || record.status === "held";
}

/** The commit of a task whose landing the merger holds for a person; null for any other task. */
export function heldCommit({ status, lastHandoff, lastOutcome }: TaskRecord): string | null {
  return status === "held" && lastOutcome?.kind === "held" ? (lastHandoff?.headCommit ?? null) : null;
}

/** The counters of a task without failed attempts. */
export const UNUSED = { attemptsUsed: 0, crashes: 0, conflicts: 0 } as const;

/** A task that was not sent yet. */
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
    ...UNUSED,
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
    absorbed: [],
    decisions: [],
    notes: [],
    notesSent: { feature: 0, task: 0 },
    heard: [],
    parked: null,
    answers: [],
  };
}
