import { z } from "zod";
import type { QueueConnection } from "@agentswarm/queue";
import { headSchema, type Head } from "./ledger.ts";
import { taskRecordSchema, type TaskRecord } from "./task-record.ts";
import type { ListName } from "./not-read.ts";

/**
 * How a ledger lies in Redis. Its keys share one hash tag:
 *
 * | key            | type   | what                                                                             |
 * | -------------- | ------ | -------------------------------------------------------------------------------- |
 * | `head`         | hash   | `document`, its `version`, and `revision`: the number of all steps               |
 * | `tasks`        | hash   | task id → record                                                                 |
 * | `versions`     | hash   | task id → number of writes of the record, or of the tasks that depend on it      |
 * | `dependents`   | hash   | task id → ids of the tasks that depend on it or wait behind it, a line for each  |
 * | `names`        | hash   | key → id of the task that landed under it                                        |
 * | `landings`     | hash   | id of a landed task → its commit                                                 |
 * | `signatures`   | hash   | signature of a failure → ids of its fix tasks, a line for each                   |
 * | `list:<name>`  | zset   | ids of the tasks of a status, or of the open resolves; in order of their making  |
 * | `sums`         | hash   | `costUsd` and `tokens`                                                           |
 * | `due`          | zset   | ids of tasks that a further step has to look at                                  |
 * | `outbox`       | hash   | effects that are not known to be done, by step                                   |
 * | `revisions`    | list   | the adopted plans                                                                |
 * | `missed`       | set    | `<task id>/<round>` of jobs that the last audit did not find                     |
 * | `noted`        | set    | ids of the tasks to which people said or answered something                      |
 * | `decisions`    | hash   | id of a decision about a task → the task's id                                    |
 *
 * In the list of sent tasks, which are under way, the score is the round.
 */
export type LedgerKey =
  | "head"
  | "tasks"
  | "versions"
  | "dependents"
  | "names"
  | "landings"
  | "signatures"
  | "sums"
  | "due"
  | "outbox"
  | "revisions"
  | "missed"
  | "noted"
  | "decisions"
  | `list:${ListName}`;

export const STATUSES = [
  "planned",
  "ready",
  "sent",
  "held",
  "failed",
  "blocked",
  "landed",
  "cancelled",
] as const satisfies readonly TaskRecord["status"][];

/** What the keys of a feature's ledger begin with. */
export function ledgerBase(connection: Pick<QueueConnection, "key">, featureId: string): string {
  return connection.key("ledger", featureId);
}

/** A set of the ids of all features that have a ledger. */
export function allLedgersKey(connection: Pick<QueueConnection, "key">): string {
  return connection.key("ledgers", "all");
}

/** A hash of the features that may still need something done: feature id → status. */
export function openLedgersKey(connection: Pick<QueueConnection, "key">): string {
  return connection.key("ledgers", "open");
}

/** A hash of a feature's decisions about tasks: decision id → task id. Those about the feature itself are in its head. */
export function decisionsKey(connection: Pick<QueueConnection, "key">, featureId: string): string {
  return `${ledgerBase(connection, featureId)}:decisions` satisfies `${string}:${LedgerKey}`;
}

/**
 * A sorted set of the open decisions of all features: `<feature id> <decision id>`, by the Redis time in milliseconds at
 * which something is due about them.
 */
export function dueDecisionsKey(connection: Pick<QueueConnection, "key">): string {
  return connection.key("ledgers", "due");
}

/** A set of the ids of all open decisions about landings. */
export function openReviewsKey(connection: Pick<QueueConnection, "key">): string {
  return connection.key("ledgers", "open-reviews");
}

/** A set of the ids of the tasks under way whose landings people will be asked about. */
export function reviewsAheadKey(connection: Pick<QueueConnection, "key">): string {
  return connection.key("ledgers", "reviews-ahead");
}

/** A hash whose field `turn` counts the steps that sent such tasks, of all features. */
export function reviewTurnKey(connection: Pick<QueueConnection, "key">): string {
  return connection.key("ledgers", "review-turn");
}

/** Version of the documents that are written. A document of an older version has to be lifted when it is read. */
export const DOCUMENT_VERSION = 1;

/** A document that was read. `newer`: a newer planner wrote it, and this one must not write it again. */
export type Opened<T> = { kind: "read"; value: T } | { kind: "newer" } | { kind: "unreadable"; why: string };

/** A record with its place in the order of the feature's tasks. */
export interface PlacedRecord {
  readonly record: TaskRecord;
  readonly nth: number;
}

export function openHead(text: string): Opened<Head> {
  return open(text, headSchema);
}

export function openTask(text: string): Opened<PlacedRecord> {
  const opened = open(text, placedSchema);
  if (opened.kind !== "read") return opened;
  const { nth, ...record } = opened.value;
  return { kind: "read", value: { record, nth } };
}

const placedSchema = taskRecordSchema.extend({ nth: z.int().min(0) });

/** The texts of documents. Throw a ZodError for a value that could not be read again. */
export function writeHead(head: Head): string {
  return write(headSchema, head);
}

export function writeTask({ record, nth }: PlacedRecord): string {
  return write(placedSchema, { ...record, nth });
}

function write<S extends z.ZodType>(schema: S, value: z.infer<S>): string {
  return JSON.stringify({ documentVersion: DOCUMENT_VERSION, ...(schema.parse(value) as object) });
}

function open<S extends z.ZodType>(text: string, schema: S): Opened<z.infer<S>> {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    return { kind: "unreadable", why: `it is no JSON: ${String(error)}` };
  }
  if (versionOf(document) > DOCUMENT_VERSION) return { kind: "newer" };
  const parsed = schema.safeParse(document);
  return parsed.success
    ? { kind: "read", value: parsed.data }
    : { kind: "unreadable", why: parsed.error.message.slice(0, 1_000) };
}

function versionOf(document: unknown): number {
  const version = (document as { documentVersion?: unknown } | null)?.documentVersion;
  return typeof version === "number" ? version : DOCUMENT_VERSION;
}
