import { Fault } from "@agentswarm/contracts";
import type { QueueConnection } from "@agentswarm/queue";
import type { Ledger } from "./ledger.ts";
import type { TaskRecord } from "./task-record.ts";
import { READ } from "./ledger-scripts.ts";
import type { ListName, Needs, Rest } from "./not-read.ts";
import { ledgerBase, openHead, openTask, STATUSES, type Opened, type PlacedRecord } from "./stored-ledger.ts";

/** What is known of a ledger as a whole at one moment. */
export interface Facts {
  /** Text of the head; null: there is no ledger. */
  readonly document: string | null;
  readonly headVersion: number;
  readonly revision: number;
  readonly costUsd: number;
  readonly tokens: number;
  readonly counts: Readonly<Record<TaskRecord["status"], number>>;
  readonly revisions: number;
  readonly due: number;
  readonly outbox: number;
  /** When it was read: milliseconds since 1970, Redis time. */
  readonly at: number;
}

/** A task as it was read; its record is parsed only when a decision needs it. */
interface ReadTask {
  readonly version: number;
  readonly dependents: readonly string[];
  /** Null: there is no such task. */
  readonly open: () => Opened<PlacedRecord> | null;
}

/** What was read of a ledger so far. */
export interface Reading {
  readonly facts: Facts;
  readonly tasks: ReadonlyMap<string, ReadTask>;
  readonly lists: ReadonlyMap<ListName, readonly string[]>;
  readonly signatures: ReadonlyMap<string, readonly string[]>;
  readonly names: ReadonlyMap<string, string> | null;
  readonly landings: ReadonlyMap<string, string> | null;
  /** What an earlier step left: due tasks, and the first tasks of the lists of unsettled ones. */
  readonly batch: {
    readonly due: readonly string[];
    readonly ready: readonly string[];
    readonly unsettled: readonly string[];
  };
}

type FactsReply = [
  string | null,
  string | null,
  string | null,
  string | null,
  string | null,
  number[],
  number,
  number,
  number,
  number,
];
type TaskReply = [id: string, text: string | null, version: string | null, dependents: string | null];
type Reply = [FactsReply, TaskReply[], string[][], string[], string[] | null, string[] | null, string[][]];

export function readFacts(reply: FactsReply): Facts {
  const [document, headVersion, revision, costUsd, tokens, counts, revisions, due, outbox, at] = reply;
  const byStatus = Object.fromEntries(STATUSES.map((status, nth) => [status, counts[nth] ?? 0]));
  return {
    document,
    headVersion: Number(headVersion ?? 0),
    revision: Number(revision ?? 0),
    costUsd: Number(costUsd ?? 0),
    tokens: Number(tokens ?? 0),
    counts: byStatus as Facts["counts"],
    revisions,
    due,
    outbox,
    at,
  };
}

/** Reads what a decision needs, in one call. `before`: what was read already, which is kept but for the facts. */
export async function readLedger(
  connection: QueueConnection,
  featureId: string,
  { tasks = [], lists = [], signatures = [], names = false, landings = false }: Needs,
  options: { readonly batch?: boolean; readonly before?: Reading | undefined } = {},
): Promise<Reading> {
  const { batch = false, before } = options;
  const asked = JSON.stringify({ tasks, lists, signatures, names, landings, batch });
  const answer = await connection.redis.eval(READ, 1, ledgerBase(connection, featureId), asked);
  const [facts, taskReplies, listReplies, signatureReplies, nameReply, landingReply, batchReply] =
    answer as Reply;
  const [due = [], planned = [], ready = [], sent = [], held = []] = batchReply;
  return {
    facts: readFacts(facts),
    tasks: new Map([
      ...(before?.tasks ?? []),
      ...taskReplies.map(([id, ...rest]) => [id, readTask(rest)] as const),
    ]),
    lists: new Map([
      ...(before?.lists ?? []),
      ...lists.map((name, nth) => [name, listReplies[nth] ?? []] as const),
    ]),
    signatures: new Map([
      ...(before?.signatures ?? []),
      ...signatures.map((one, nth) => [one, lines(signatureReplies[nth])] as const),
    ]),
    names: nameReply === null ? (before?.names ?? null) : pairs(nameReply),
    landings: landingReply === null ? (before?.landings ?? null) : pairs(landingReply),
    batch:
      batch || before === undefined
        ? { due, ready, unsettled: [...planned, ...ready, ...sent, ...held] }
        : before.batch,
  };
}

function readTask([text, version, dependents]: [string | null, string | null, string | null]): ReadTask {
  let opened: Opened<PlacedRecord> | null = null;
  return {
    version: Number(version ?? 0),
    dependents: lines(dependents),
    open: () => {
      if (text !== null) opened ??= openTask(text);
      return opened;
    },
  };
}

function lines(text: string | null | undefined): string[] {
  return text ? text.split("\n") : [];
}

function pairs(flat: readonly string[]): Map<string, string> {
  const found = new Map<string, string>();
  for (let nth = 0; nth + 1 < flat.length; nth += 2) found.set(flat[nth] ?? "", flat[nth + 1] ?? "");
  return found;
}

/** A ledger as a decision sees it. */
export interface View {
  readonly ledger: Ledger | null;
  /** Places of the tasks that were read. */
  readonly places: ReadonlyMap<string, number>;
  readonly unreadable: ReadonlyMap<string, string>;
  /** Whether the decision depended on the whole ledger, so that any other step meanwhile makes it invalid. */
  readonly dependedOnAll: () => boolean;
}

/**
 * What a decision sees of a reading: the head, and the tasks that were asked for. Throws a Fault for a head that cannot be
 * read (`internal`), and for documents of a newer planner (retryable, so that the newer planner takes the message).
 */
export function viewOf(featureId: string, reading: Reading, asked: ReadonlySet<string>): View {
  const { facts } = reading;
  const records: PlacedRecord[] = [];
  const versions = new Map<string, number>();
  const dependents = new Map<string, readonly string[]>();
  const unreadable = new Map<string, string>();
  const counts = { ...facts.counts };
  for (const id of asked) {
    const task = reading.tasks.get(id);
    if (task === undefined) continue;
    versions.set(id, task.version);
    dependents.set(id, task.dependents);
    const opened = task.open();
    if (opened?.kind === "newer") throw newerDocument(`the task ${id} of ${featureId}`);
    if (opened?.kind === "unreadable") unreadable.set(id, opened.why);
    if (opened?.kind !== "read") continue;
    records.push(opened.value);
    counts[opened.value.record.status] -= 1;
  }
  records.sort((a, b) => a.nth - b.nth);
  let dependedOnAll = false;
  const rest: Rest = {
    counts,
    headVersion: facts.headVersion,
    revision: facts.revision,
    revisions: facts.revisions,
    outbox: facts.outbox,
    versions,
    dependents,
    unreadable: new Set(unreadable.keys()),
    lists: reading.lists,
    signatures: reading.signatures,
    names: reading.names,
    landings: reading.landings,
    batch: [],
    dependsOnAll: () => {
      dependedOnAll = true;
    },
  };
  const head = facts.document === null ? null : headOf(featureId, facts.document);
  const { costUsd, tokens } = facts;
  const ledger: Ledger | null = head && {
    ...head,
    costUsd,
    tokens,
    tasks: records.map(({ record }) => record),
    revisions: [],
    pending: [],
    due: [...reading.batch.due],
    rest: { ...rest, batch: head.status === "cancelled" ? reading.batch.unsettled : reading.batch.ready },
  };
  const places = new Map(records.map(({ record, nth }) => [record.task.id, nth]));
  return { ledger, places, unreadable, dependedOnAll: () => dependedOnAll };
}

function headOf(featureId: string, text: string) {
  const opened = openHead(text);
  if (opened.kind === "read") return opened.value;
  if (opened.kind === "newer") throw newerDocument(`the ledger of ${featureId}`);
  throw unreadableLedger(featureId, opened.why);
}

const NEWER_DELAY_MS = 5_000;

export function newerDocument(what: string): Fault {
  return new Fault("internal", `${what} was written by a newer version of the planner: update this one`, {
    retryable: true,
    retryAfterMs: NEWER_DELAY_MS,
    source: "operator",
  });
}

export function unreadableLedger(featureId: string, why: string): Fault {
  return new Fault("internal", `the ledger of ${featureId} cannot be read and is set aside: ${why}`);
}
