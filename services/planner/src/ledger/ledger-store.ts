import { randomUUID } from "node:crypto";
import { Fault, type UsedUp } from "@agentswarm/contracts";
import type { QueueConnection } from "@agentswarm/queue";
import { ZodError } from "zod";
import { applyStep, type LedgerStep } from "./apply-step.ts";
import { isPlanOpen } from "./decisions/kept-decisions.ts";
import type { DecisionRules } from "./decisions/rules.ts";
import { countShown } from "./find-tasks.ts";
import { hasEnded, maySend, type Ledger } from "./ledger.ts";
import { keepsLosing, openLedgerReader, TRIES, type SetAside } from "./ledger-reader.ts";
import { DONE, FORGET } from "./ledger-scripts.ts";
import type { Rest } from "./not-read.ts";
import { olderLedgerIds } from "./older-ledger.ts";
import { entryOf, readEntry, type OutboxEntry } from "./outbox.ts";
import { unreadableLedger, type Facts, type View } from "./read-ledger.ts";
import { allLedgersKey, decisionsKey, dueDecisionsKey, ledgerBase, openLedgersKey } from "./stored-ledger.ts";
import type { ReviewRoom } from "./reviews/review-room.ts";
import type { StepFacts } from "./step-facts.ts";
import { UNSETTLED } from "./task-record.ts";
import { writesBetween, type Writes } from "./writes-between.ts";

/** A step that was written, or that changed nothing. */
export interface Written {
  /** The ledger after the step, as far as the step has read it. */
  readonly ledger: Ledger;
  /** Null when the step had no effects. */
  readonly entry: OutboxEntry | null;
  /** Whether a follow-up step has tasks left to look at. */
  readonly more: boolean;
}

export interface LedgerStore {
  /** The head of a ledger with its counts and without tasks, or null. */
  get(featureId: string): Promise<Ledger | null>;
  /** The result of a pure decision on the newest ledger, of which it reads what the decision asks for. */
  read<T>(featureId: string, decision: (ledger: Ledger | null) => T): Promise<T>;
  /**
   * Applies a step to the newest ledger, with the newest state of the budgets, and writes exactly what it changed and its
   * effects, if nothing that it read has changed; else the step is applied again to what is newest then. `about`: ids of
   * tasks that the step is about, to read them at once. A step that changes nothing writes nothing. Null: the feature does
   * not exist and the step did not create it. Throws Fault `conflict` (retryable) when it keeps losing, and `internal`
   * when a record that the step is about cannot be read or what it makes could not be read again.
   */
  update(featureId: string, step: LedgerStep, about?: readonly string[]): Promise<Written | null>;
  /** A step that takes up a part of what an earlier step left to look at. */
  followUp(featureId: string): Promise<Written | null>;
  /** Ids of the features that may still need something done: those that have not ended or have effects in the outbox. */
  open(): Promise<string[]>;
  /** Ids of all features that have a ledger. */
  ids(): Promise<string[]>;
  /** The entries of effects that are not known to be done, the oldest first. */
  outbox(ledger: Ledger): Promise<OutboxEntry[]>;
  /** Removes an entry whose effects are done. */
  done(ledger: Ledger, entry: string): Promise<void>;
  /** The tasks that are under way, with their rounds. */
  underWay(featureId: string): Promise<ReadonlyMap<string, number>>;
  /** Ids of the tasks to which people said something. */
  noted(featureId: string): Promise<ReadonlySet<string>>;
  /** Keeps the names of rounds whose jobs an audit did not find. Returns those of the audit before. */
  noteMissed(featureId: string, missed: readonly string[]): Promise<ReadonlySet<string>>;
  /** The feature that has this task, or null. */
  featureOf(taskId: string): Promise<string | null>;
  /** The task that a decision is about; null: none, or the decision is about its feature as a whole. */
  taskOfDecision(featureId: string, decisionId: string): Promise<string | null>;
  /** Decisions of all features about which something was due at this Redis time in milliseconds, the earliest first. */
  dueDecisions(at: number, limit: number): Promise<{ featureId: string; decisionId: string }[]>;
  /** Ids of all tasks of a feature. */
  taskIds(featureId: string): Promise<string[]>;
  /** Ids of the tasks that may land yet: ready, sent or held. */
  mayLand(featureId: string): Promise<string[]>;
  /** Removes a ledger of which nothing is left to do. False: it has changed, or something is left. */
  forget(ledger: Ledger): Promise<boolean>;
}

interface LedgerStoreOptions {
  readonly connection: QueueConnection;
  /** The budget that leaves nothing for a feature, or null. */
  readonly usedUp: (featureId: string) => Promise<UsedUp | null>;
  /** How many more landings people may be asked about; null: there is no bound. */
  readonly reviews: () => Promise<ReviewRoom | null>;
  readonly rules: DecisionRules;
  /** Called once for every write. */
  readonly onWritten: (before: Ledger | null, after: Ledger) => void;
  /** Called whenever a record was read that is set aside. */
  readonly onSetAside: (what: SetAside) => void;
}

const FEATURES_PER_CALL = 1_000;
const MAY_LAND = ["ready", "sent", "held"] as const;

export function openLedgerStore(options: LedgerStoreOptions): LedgerStore {
  const { connection, usedUp, reviews, rules, onWritten, onSetAside } = options;
  const { redis } = connection;
  const reader = openLedgerReader(connection, onSetAside);
  const { decide, commit } = reader;

  /** What a step makes of a ledger as it was read. Writes is null when the step changes nothing. */
  const takeStep = (
    step: LedgerStep,
    view: View,
    read: Facts,
    now: Pick<StepFacts, "usedUp" | "reviews">,
  ) => {
    const { ledger: before, places } = view;
    const { headVersion, at } = read;
    const after = applyStep(before, step, { ...now, version: headVersion + 1, at, rules });
    if (after === null || after === before) return { before, after: before, writes: null, read };
    const writes = checkedWrites(before, after, {
      connection,
      places,
      nextPlace: Object.values(read.counts).reduce((total, one) => total + one, 0),
      dependsOnAll: view.dependedOnAll(),
      entry: `${read.revision}-${randomUUID()}`,
      firstVersion: 1,
      reviews: now.reviews,
    });
    return { before, after, writes, read };
  };

  const write = async (
    featureId: string,
    step: LedgerStep,
    how: { readonly about: readonly string[]; readonly batch: boolean },
  ): Promise<Written | null> => {
    const usedUpNow = await usedUp(featureId);
    for (let tries = 0; tries < TRIES; tries += 1) {
      // Steps of other features may have taken of the room meanwhile.
      const now = { usedUp: usedUpNow, reviews: await reviews() };
      const { before, after, writes, read } = await decide(featureId, how, (view, facts) => {
        const unreadable = how.about.find((id) => view.unreadable.has(id));
        if (unreadable !== undefined) throw unreadableTask(featureId, unreadable);
        return takeStep(step, view, facts, now);
      });
      if (after === null) return null;
      if (writes === null) return { ledger: after, entry: null, more: !how.batch && hasMore(after, read) };
      const facts = await commit(featureId, writes);
      if (facts === null) continue;
      onWritten(before, after);
      const newest = withFacts(after, facts);
      const effects = after.pending.slice(before?.pending.length ?? 0);
      const entry = writes.entry === null ? null : entryOf(writes.entry, effects, newest);
      return { ledger: newest, entry, more: hasMore(after, facts) };
    }
    throw keepsLosing(featureId);
  };

  const store: LedgerStore = {
    get: (featureId) => store.read(featureId, (ledger) => ledger),
    read: (featureId, decision) =>
      decide(featureId, { about: [], batch: false }, ({ ledger }) => decision(ledger)),
    update: (featureId, step, about = []) => write(featureId, step, { about, batch: false }),
    followUp: (featureId) => write(featureId, (ledger) => ledger, { about: [], batch: true }),
    async open() {
      await reader.moveAll();
      return Object.keys(await redis.hgetall(openLedgersKey(connection)));
    },
    async ids() {
      return [...(await redis.smembers(allLedgersKey(connection))), ...(await olderLedgerIds(connection))];
    },
    async outbox(ledger) {
      const found = await redis.hgetall(`${ledgerBase(connection, ledger.feature.id)}:outbox`);
      const revisionOf = (name: string) => Number.parseInt(name, 10);
      const entries = Object.entries(found).toSorted(([a], [b]) => revisionOf(a) - revisionOf(b));
      return entries.map(([name, text]) => readEntry(name, text, ledger));
    },
    async done(ledger, entry) {
      const { id } = ledger.feature;
      const keys = [ledgerBase(connection, id), allLedgersKey(connection), openLedgersKey(connection)];
      await redis.eval(DONE, 3, ...keys, entry, isOver(ledger) ? String(ledger.rest?.headVersion) : "", id);
    },
    async underWay(featureId) {
      const found = await redis.zrange(
        `${ledgerBase(connection, featureId)}:list:sent`,
        "0",
        "-1",
        "WITHSCORES",
      );
      const rounds = new Map<string, number>();
      for (let nth = 0; nth < found.length; nth += 2) rounds.set(found[nth] ?? "", Number(found[nth + 1]));
      return rounds;
    },
    async noted(featureId) {
      return new Set(await redis.smembers(`${ledgerBase(connection, featureId)}:noted`));
    },
    async noteMissed(featureId, missed) {
      const key = `${ledgerBase(connection, featureId)}:missed`;
      const calls = redis.multi().smembers(key).del(key);
      if (missed.length > 0) calls.sadd(key, ...missed);
      const [before] = (await calls.exec()) ?? [];
      return new Set((before?.[1] ?? []) as string[]);
    },
    async featureOf(taskId) {
      await reader.moveAll();
      const ids = await store.ids();
      for (let from = 0; from < ids.length; from += FEATURES_PER_CALL) {
        const some = ids.slice(from, from + FEATURES_PER_CALL);
        const calls = redis.pipeline();
        for (const id of some) calls.hexists(`${ledgerBase(connection, id)}:tasks`, taskId);
        const found = (await calls.exec())?.findIndex(([, has]) => has === 1) ?? -1;
        if (found >= 0) return some[found] ?? null;
      }
      return null;
    },
    taskOfDecision: (featureId, decisionId) => redis.hget(decisionsKey(connection, featureId), decisionId),
    async dueDecisions(at, limit) {
      const due = await redis.zrangebyscore(dueDecisionsKey(connection), "-inf", at, "LIMIT", 0, limit);
      return due.map((member) => {
        const [featureId = "", decisionId = ""] = member.split(" ");
        return { featureId, decisionId };
      });
    },
    taskIds: (featureId) => redis.hkeys(`${ledgerBase(connection, featureId)}:tasks`),
    async mayLand(featureId) {
      const calls = redis.pipeline();
      for (const status of MAY_LAND)
        calls.zrange(`${ledgerBase(connection, featureId)}:list:${status}`, "0", "-1");
      return ((await calls.exec()) ?? []).flatMap(([error, ids]) => {
        if (error !== null) throw error;
        return ids as string[];
      });
    },
    async forget({ feature: { id }, rest }) {
      const keys = [ledgerBase(connection, id), allLedgersKey(connection), openLedgersKey(connection)];
      return (await redis.eval(FORGET, 3, ...keys, String(rest?.headVersion ?? 0), id)) === 1;
    },
  };
  return store;
}

function checkedWrites(...[before, after, facts]: Parameters<typeof writesBetween>): Writes {
  try {
    return writesBetween(before, after, facts);
  } catch (error) {
    if (!(error instanceof ZodError)) throw error;
    const what = `a step of ${after.feature.id} made a record that could not be read again, and was not written`;
    throw new Fault("internal", `${what}: ${error.message.slice(0, 1_000)}`, { cause: error });
  }
}

/** The ledger with the sums and counts after a step. */
function withFacts(after: Ledger, facts: Facts): Ledger {
  const { costUsd, tokens, counts, revision, revisions, headVersion, outbox } = facts;
  const others = { ...counts };
  for (const { status } of after.tasks) others[status] -= 1;
  const rest = after.rest ?? NOTHING_READ;
  return {
    ...after,
    costUsd,
    tokens,
    revisions: [],
    rest: { ...rest, counts: others, revision, revisions, headVersion, outbox },
  };
}

const NOTHING_READ: Rest = {
  counts: {},
  headVersion: 0,
  revision: 0,
  outbox: 0,
  revisions: 0,
  versions: new Map(),
  dependents: new Map(),
  unreadable: new Set(),
  lists: new Map(),
  signatures: new Map(),
  names: null,
  landings: null,
  batch: [],
  dependsOnAll: () => undefined,
};

/** Whether a follow-up step has something to do: the rule of `settle` for what one step leaves. */
export function hasMore(
  ledger: Pick<Ledger, "status" | "outOfBudget" | "outOfReviews" | "paused" | "decisions">,
  facts: Facts,
): boolean {
  const { status } = ledger;
  const { counts, due } = facts;
  if (status === "cancelled") return counts.planned + counts.ready + counts.sent + counts.held > 0;
  if ((status !== "building" && status !== "held") || isPlanOpen(ledger)) return false;
  return due > 0 || (maySend(ledger) && ledger.outOfReviews === null && counts.ready > 0);
}

/** Whether a feature has ended and no task of it is left to cancel. */
function isOver(ledger: Ledger): boolean {
  return hasEnded(ledger) && (ledger.status !== "cancelled" || countShown(ledger, UNSETTLED) === 0);
}

function unreadableTask(featureId: string, taskId: string): Fault {
  return unreadableLedger(featureId, `the record of task ${taskId} fits no schema`);
}
