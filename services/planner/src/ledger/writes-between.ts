import type { QueueConnection } from "@agentswarm/queue";
import { changedTasks, headSchema, type Head, type Ledger } from "./ledger.ts";
import { findRecord, standIn } from "./find-tasks.ts";
import { indexDecisions } from "./decisions/index-decisions.ts";
import { isAhead, willAsk, type ReviewRoom } from "./reviews/review-room.ts";
import { isOpen, type TaskRecord } from "./task-record.ts";
import { recordsById } from "./events-between.ts";
import { NotRead } from "./not-read.ts";
import { writeEntry } from "./outbox.ts";
import {
  allLedgersKey,
  ledgerBase,
  openLedgersKey,
  reviewsAheadKey,
  reviewTurnKey,
  writeHead,
  writeTask,
  type LedgerKey,
} from "./stored-ledger.ts";

/** One step as the commit script takes it. */
export interface Writes {
  /** `[hash, field, value]` that must be unchanged; `""`: the field must not exist. */
  readonly compare: readonly (readonly [string, string, string])[];
  readonly commands: readonly (readonly string[])[];
  /** Field of the outbox with the step's effects; null when it has none. */
  readonly entry: string | null;
}

export interface WriteFacts {
  readonly connection: Pick<QueueConnection, "key">;
  /** Places of the tasks that were read; a new task comes after all others. */
  readonly places: ReadonlyMap<string, number>;
  readonly nextPlace: number;
  /** Whether the step depended on the whole ledger. */
  readonly dependsOnAll: boolean;
  /** Name of the step's entry in the outbox. */
  readonly entry: string;
  /** Version of what is new; above 1 where events of an older ledger have higher versions. */
  readonly firstVersion: number;
  /** How many more landings people may be asked about; null: there is no bound. */
  readonly reviews: ReviewRoom | null;
}

const HEAD_FIELDS = Object.keys(headSchema.shape) as (keyof Head)[];

/**
 * The commands that write a step: exactly what it changed, and the lists and numbers that follow from it. The comparison
 * is of exactly what the step read. Throws NotRead for what a list depends on, and ZodError for what could not be read
 * again. Pure.
 */
export function writesBetween(before: Ledger | null, after: Ledger, facts: WriteFacts): Writes {
  const { connection, firstVersion } = facts;
  const featureId = after.feature.id;
  const base = ledgerBase(connection, featureId);
  const key = (name: LedgerKey) => `${base}:${name}`;
  const commands: string[][] = [];
  const compare: [string, string, string][] = [];
  const olds = recordsById(before);
  const rest = before?.rest;

  const textOf = (version: number | undefined) => (version ? String(version) : "");
  compare.push([key("head"), "version", textOf(rest?.headVersion)]);
  if (facts.dependsOnAll) compare.push([key("head"), "revision", textOf(rest?.revision)]);
  for (const [id, version] of rest?.versions ?? []) compare.push([key("versions"), id, textOf(version)]);

  const changed = changedTasks(before, after);
  const fresh = changed.filter(({ task }) => !olds.has(task.id));
  for (const { task } of fresh)
    if (!rest?.versions.has(task.id)) compare.push([key("versions"), task.id, ""]);

  const takesRoom = changed.filter((record) => entersReview(olds.get(record.task.id), record, facts.reviews));
  if (facts.reviews !== null && takesRoom.length > 0) {
    const ids = takesRoom.map(({ task }) => task.id);
    compare.push([reviewTurnKey(connection), "turn", facts.reviews.turn]);
    commands.push(["SADD", reviewsAheadKey(connection), ...ids]);
    commands.push(["HINCRBY", reviewTurnKey(connection), "turn", "1"]);
  }
  const left = changed.filter((record) => leavesReview(olds.get(record.task.id), record));
  if (left.length > 0)
    commands.push(["SREM", reviewsAheadKey(connection), ...left.map(({ task }) => task.id)]);

  const dependents = newDependents(after, fresh, olds);
  const places = new Map(facts.places);
  for (const [nth, { task }] of fresh.entries()) places.set(task.id, facts.nextPlace + nth);
  for (const record of changed) {
    const { id } = record.task;
    const nth = places.get(id) ?? 0;
    commands.push(["HSET", key("tasks"), id, writeTask({ record, nth })]);
    commands.push(...listCommands(key, olds.get(id), record, nth));
    if (isSpokenTo(record) && !isSpokenTo(olds.get(id))) commands.push(["SADD", key("noted"), id]);
    commands.push(...landingCommands(key, olds.get(id), record, after));
    commands.push(...indexDecisions(connection, after, olds.get(id)?.decisions, record));
  }
  for (const id of new Set([...changed.map(({ task }) => task.id), ...dependents.keys()])) {
    const version = rest?.versions.get(id) || firstVersion - 1;
    commands.push(["HSET", key("versions"), id, String(version + 1)]);
  }
  for (const [id, all] of dependents) commands.push(["HSET", key("dependents"), id, all.join("\n")]);
  for (const [signature, all] of newSignatures(after, fresh))
    commands.push(["HSET", key("signatures"), signature, all.join("\n")]);

  commands.push(
    ...indexDecisions(connection, after, before?.decisions, { task: null, decisions: after.decisions }),
  );
  const headChanged = before === null || HEAD_FIELDS.some((field) => before[field] !== after[field]);
  if (headChanged) {
    const head = Object.fromEntries(HEAD_FIELDS.map((field) => [field, after[field]])) as Head;
    const version = (rest?.headVersion ?? firstVersion - 1) + 1;
    commands.push(["HSET", key("head"), "document", writeHead(head), "version", String(version)]);
  }
  const spent = after.costUsd - (before?.costUsd ?? 0);
  if (spent !== 0) commands.push(["HINCRBYFLOAT", key("sums"), "costUsd", spent.toFixed(12)]);
  const tokens = after.tokens - (before?.tokens ?? 0);
  if (tokens !== 0) commands.push(["HINCRBY", key("sums"), "tokens", String(tokens)]);
  for (const revision of after.revisions.slice(before?.revisions.length ?? 0))
    commands.push(["RPUSH", key("revisions"), JSON.stringify(revision)]);
  for (const id of without(after.due, before?.due)) commands.push(["ZADD", key("due"), "0", id]);
  for (const id of without(before?.due ?? [], after.due)) commands.push(["ZREM", key("due"), id]);

  const effects = after.pending.slice(before?.pending.length ?? 0);
  if (effects.length > 0) commands.push(["HSET", key("outbox"), facts.entry, writeEntry(effects)]);
  if (before === null) commands.push(["SADD", allLedgersKey(connection), featureId]);
  if (headChanged || effects.length > 0)
    commands.push(["HSET", openLedgersKey(connection), featureId, after.status]);
  return { compare, commands, entry: effects.length > 0 ? facts.entry : null };
}

function isSpokenTo(record: TaskRecord | undefined): boolean {
  return record !== undefined && record.notes.length + record.answers.length > 0;
}

function without(ids: readonly string[], others: readonly string[] = []): string[] {
  const known = new Set(others);
  return ids.filter((id) => !known.has(id));
}

/** For each task that new tasks depend on: all tasks that depend on it now. */
function newDependents(
  after: Ledger,
  fresh: readonly TaskRecord[],
  olds: ReadonlyMap<string, TaskRecord>,
): Map<string, string[]> {
  const all = new Map<string, string[]>();
  const freshIds = new Set(fresh.map(({ task }) => task.id));
  for (const { task, after: behind } of fresh) {
    for (const id of new Set([...task.dependsOn, ...behind])) {
      const known = all.get(id) ?? (freshIds.has(id) ? [] : knownDependents(after, id, olds));
      if (known === null) continue;
      all.set(id, [...known, task.id]);
    }
  }
  return all;
}

/** Null for a task that does not exist. */
function knownDependents(after: Ledger, id: string, olds: ReadonlyMap<string, TaskRecord>): string[] | null {
  if (after.rest !== undefined && !after.rest.versions.has(id)) throw new NotRead({ tasks: [id] });
  if (!olds.has(id) && !after.rest?.unreadable.has(id)) return null;
  return [...(after.rest?.dependents.get(id) ?? [])];
}

/** For each failure that has a new fix task: all of its fix tasks. */
function newSignatures(after: Ledger, fresh: readonly TaskRecord[]): Map<string, string[]> {
  const all = new Map<string, string[]>();
  for (const { task, signature } of fresh) {
    if (signature === null) continue;
    const known = all.get(signature) ?? after.rest?.signatures.get(signature) ?? (after.rest ? null : []);
    if (known === null) throw new NotRead({ signatures: [signature] });
    all.set(signature, [...known, task.id]);
  }
  return all;
}

type KeyOf = (name: LedgerKey) => string;

/** Moves a task from the list of one status to that of another. */
function listCommands(key: KeyOf, old: TaskRecord | undefined, now: TaskRecord, nth: number): string[][] {
  const { id } = now.task;
  const commands: string[][] = [];
  if (old !== undefined && old.status !== now.status) commands.push(["ZREM", key(`list:${old.status}`), id]);
  if (old?.status !== now.status || old.round !== now.round)
    commands.push(["ZADD", key(`list:${now.status}`), String(now.status === "sent" ? now.round : nth), id]);
  if (now.task.kind !== "resolve" || (old !== undefined && isOpen(old)) === isOpen(now)) return commands;
  const resolves = key("list:resolves");
  return [...commands, isOpen(now) ? ["ZADD", resolves, String(nth), id] : ["ZREM", resolves, id]];
}

/** Whether a task is sent now on a way to a landing that people will be asked about. Known while there is a bound for them. */
function entersReview(old: TaskRecord | undefined, now: TaskRecord, reviews: ReviewRoom | null): boolean {
  return (
    reviews !== null && isAhead(now) && !(old !== undefined && isAhead(old)) && willAsk(reviews, now.task)
  );
}

function leavesReview(old: TaskRecord | undefined, now: TaskRecord): boolean {
  return old !== undefined && isAhead(old) && !isAhead(now);
}

/** Keeps the commits of landings, and the keys that name what landed: of the task, and of the task that it stands in for. */
function landingCommands(
  key: KeyOf,
  old: TaskRecord | undefined,
  now: TaskRecord,
  after: Ledger,
): string[][] {
  const { id, parentId } = now.task;
  const commands: string[][] = [];
  if (now.commit !== null && now.commit !== old?.commit)
    commands.push(["HSET", key("landings"), id, now.commit]);
  if (now.commit === null && old !== undefined && old.commit !== null)
    commands.push(["HDEL", key("landings"), id]);
  if ((now.status === "landed") === (old?.status === "landed")) return commands;
  const parent = parentId === undefined ? undefined : findRecord(after, parentId);
  for (const named of [now, parent]) {
    if (named === undefined) continue;
    const landed = standIn(after, named.task.id);
    if (landed?.status === "landed") commands.push(["HSET", key("names"), named.task.key, landed.task.id]);
    else commands.push(["HDEL", key("names"), named.task.key]);
  }
  return commands;
}
