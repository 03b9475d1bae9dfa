import type { z } from "zod";
import type { DomainEvent } from "@agentswarm/contracts";
import { EVENTS_KEPT, type QueueConnection } from "@agentswarm/queue";
import { COMMIT } from "./commit-script.ts";
import { fingerprint } from "./event-fingerprint.ts";
import {
  documentsOf,
  type DocumentValues,
  type IndexChange,
  type Loaded,
  type LoadedViews,
  type ViewChanges,
} from "./project-batch.ts";
import { decisionEntries, featureMember, memberWithin } from "./read-indexes.ts";
import { viewKeys, type DocumentKind, type ViewKeys, type ViewSet } from "./view-keys.ts";
import {
  decisionViewSchema,
  earlyEventsSchema,
  featureViewSchema,
  notesViewSchema,
  repoViewSchema,
  taskViewSchema,
  totalsSchema,
} from "./views.ts";

/**
 * `changed`: another api has written meanwhile, so read again. `rebuilding`: wait for the end of the rebuild. `empty`:
 * Redis is new or was wiped. `lost`: somebody else rebuilds now.
 */
export type Committed = "done" | "changed" | "rebuilding" | "empty" | "lost";

/** The views as documents and indexes in Redis, written in batches. */
export interface ViewStore {
  readonly keys: ViewKeys;
  readonly redis: QueueConnection["redis"];
  /** One document with its version. */
  find<K extends DocumentKind>(kind: K, id: string): Promise<Loaded<DocumentValues[K]>>;
  /** The ids of which there is no document. */
  missing(kind: DocumentKind, ids: readonly string[]): Promise<string[]>;
  /** The documents of these ids that exist and can be read, in this order. */
  readMany<K extends DocumentKind>(kind: K, ids: readonly string[]): Promise<DocumentValues[K][]>;
  /** The documents that the events may change. */
  load(events: readonly DomainEvent[]): Promise<LoadedViews>;
  /** Ids of those events that were taken in before. */
  findSeen(events: readonly DomainEvent[]): Promise<Set<string>>;
  /** Writes the changes, and the events into the event stream if there is one. Everything or nothing. */
  commit(changes: ViewChanges, events: readonly DomainEvent[]): Promise<Committed>;
}

const SCHEMAS = {
  features: featureViewSchema,
  tasks: taskViewSchema,
  decisions: decisionViewSchema,
  notes: notesViewSchema,
  repos: repoViewSchema,
  swarm: totalsSchema,
  early: earlyEventsSchema,
} as const satisfies { [K in DocumentKind]: z.ZodType<DocumentValues[K]> };
const KINDS = Object.keys(SCHEMAS) as DocumentKind[];

/** Half of what one bucket remembers. Redis stores sets of up to 512 integers as sorted arrays. */
const SEEN_HALF = 256;
/** Features and tasks for which events may wait that came before them. */
const EARLY_SUBJECTS = 200;
const HOUR_MS = 3_600_000;
const HOT_PATHS = 2_000;
const LANDINGS_OF_AN_HOUR = 100_000;

/** The key that holds the token of the rebuild that is under way. */
export function rebuildKey(connection: QueueConnection): string {
  return connection.key("view", "rebuilding");
}

/** `rebuild` is the token of the rebuild that fills this set of views; its events do not go into the stream. */
export function openViewStore(
  connection: QueueConnection,
  { set = "view", rebuild }: { set?: ViewSet; rebuild?: string } = {},
): ViewStore {
  const { redis } = connection;
  const keys = viewKeys(connection, set);

  const parse = <K extends DocumentKind>(
    kind: K,
    id: string,
    text: string | null,
  ): Loaded<DocumentValues[K]> => {
    if (text === null) return { value: null, version: 0 };
    const end = text.indexOf("\n");
    const version = Number(text.slice(0, end));
    const parsed = SCHEMAS[kind].safeParse(JSON.parse(text.slice(end + 1)));
    if (parsed.success) return { value: parsed.data as DocumentValues[K], version };
    const why = parsed.error.message.slice(0, 1_000);
    connection.report(
      new Error(
        `the view ${kind}/${id} cannot be read and is not shown; \`swarm events rebuild\` makes it anew: ${why}`,
      ),
    );
    return { value: null, version, unreadable: true };
  };
  const readTexts = async (kind: DocumentKind, ids: readonly string[]) =>
    ids.length === 0 ? [] : redis.hmget(keys.documents[kind], ...ids);

  const store: ViewStore = {
    keys,
    redis,
    find: async (kind, id) => parse(kind, id, await redis.hget(keys.documents[kind], id)),
    async missing(kind, ids) {
      const pipeline = redis.pipeline();
      for (const id of ids) pipeline.hexists(keys.documents[kind], id);
      const answers = await resultsOf(pipeline);
      return ids.filter((_, at) => answers[at] !== 1);
    },
    async readMany(kind, ids) {
      const texts = await readTexts(kind, ids);
      const found = texts.map((text, at) => parse(kind, ids[at] ?? "", text).value);
      return found.filter((value) => value !== null);
    },
    async load(events) {
      const asked = events.map(documentsOf);
      const idsOf = (kind: DocumentKind) => [...new Set(asked.flatMap((one) => one[kind] ?? []))];
      const [texts, waiting] = await Promise.all([
        Promise.all(KINDS.map((kind) => readTexts(kind, idsOf(kind)))),
        redis.hlen(keys.documents.early),
      ]);
      const loaded = KINDS.map((kind, nth) => {
        const found = idsOf(kind).map((id, at) => [id, parse(kind, id, texts[nth]?.[at] ?? null)] as const);
        return [kind, new Map<string, Loaded<unknown>>(found)] as const;
      });
      const views = Object.fromEntries(loaded) as unknown as LoadedViews;
      return waiting < EARLY_SUBJECTS ? views : { ...views, early: onlyExisting(views.early) };
    },
    async findSeen(events) {
      const pipeline = redis.pipeline();
      for (const { id } of events) {
        const { bucket, member } = fingerprint(id);
        for (const key of keys.seen(bucket)) pipeline.sismember(key, member);
      }
      const answers = await resultsOf(pipeline);
      const isSeen = (at: number) => answers[2 * at] === 1 || answers[2 * at + 1] === 1;
      return new Set(events.filter((_, at) => isSeen(at)).map(({ id }) => id));
    },
    async commit({ documents, indexes }, events) {
      const used = new Set<string>();
      const key = (name: string) => {
        used.add(name);
        return name;
      };
      const written = documents.flatMap(({ kind, id, version, value }) => [
        key(keys.documents[kind]),
        id,
        String(version),
        String(version + 1),
        value === null ? "" : JSON.stringify(value),
      ]);
      const counted = events.filter(isCounted);
      const ids = counted.flatMap(({ id }) => {
        const { bucket, member } = fingerprint(id);
        return [...keys.seen(bucket).map(key), member];
      });
      const commands = indexes.flatMap((change) => commandsFor(keys, change));
      for (const [, name = ""] of commands) key(name);
      const logged = rebuild === undefined ? events.map((event) => JSON.stringify(event)) : [];
      const stream = key(connection.key("events"));
      const args = [
        rebuild ?? "",
        String(documents.length),
        ...written,
        String(counted.length),
        ...ids,
        stream,
        String(EVENTS_KEPT),
        String(logged.length),
        ...logged,
        String(SEEN_HALF),
        String(commands.length),
        ...commands.flatMap((words) => [String(words.length), ...words]),
      ];
      const named = [rebuildKey(connection), keys.filled, ...used];
      return (await redis.eval(COMMIT, named.length, ...named, ...args)) as Committed;
    },
  };
  return store;
}

/** Signs of life change no view, so a second one does no harm: they are neither remembered nor archived. */
export function isCounted(event: DomainEvent): boolean {
  return event.type !== "attempt.progressed";
}

/** Lets no further feature or task wait for its beginning. */
function onlyExisting<T>(early: ReadonlyMap<string, Loaded<T>>): Map<string, Loaded<T>> {
  return new Map([...early].map(([id, one]) => [id, one.version === 0 ? { ...one, unreadable: true } : one]));
}

async function resultsOf(pipeline: ReturnType<QueueConnection["redis"]["pipeline"]>): Promise<unknown[]> {
  const answers = (await pipeline.exec()) ?? [];
  return answers.map(([error, result]) => {
    if (error !== null) throw error;
    return result;
  });
}

function commandsFor(keys: ViewKeys, change: IndexChange): string[][] {
  switch (change.kind) {
    case "feature": {
      const member = featureMember(change.createdAt, change.id);
      const { from, to } = change;
      return [
        ...(to === null
          ? [["ZREM", keys.index("all"), member]]
          : [
              ["ZADD", keys.index("all"), "0", member],
              ["ZADD", keys.index(to), "0", member],
            ]),
        ...(from === null ? [] : [["ZREM", keys.index(from), member]]),
      ];
    }
    case "task": {
      const member = memberWithin(change.featureId, change.at, change.id);
      return [
        change.removed ? ["ZREM", keys.featureTasks, member] : ["ZADD", keys.featureTasks, "0", member],
      ];
    }
    case "decision": {
      const left = change.from === null ? [] : decisionEntries(keys, change.from);
      const entered = change.to === null ? [] : decisionEntries(keys, change.to);
      return [
        ...left.map(({ key, member }) => ["ZREM", key, member]),
        ...entered.map(({ key, score, member }) => ["ZADD", key, String(score), member]),
      ];
    }
    case "live":
      return change.attempt === null
        ? [["HDEL", keys.live, change.taskId]]
        : [["HSET", keys.live, change.taskId, String(change.attempt)]];
    case "landed":
      return [
        ["ZADD", keys.landed, String(change.at), change.eventId],
        ["ZREMRANGEBYSCORE", keys.landed, "-inf", String(change.at - HOUR_MS)],
        ["ZREMRANGEBYRANK", keys.landed, "0", String(-LANDINGS_OF_AN_HOUR - 1)],
      ];
    case "conflict":
      return [
        ["ZINCRBY", keys.hot, "1", `${change.repoId} ${change.path}`],
        // The coldest go first; the file of this conflict may be among them.
        ["ZREMRANGEBYRANK", keys.hot, "0", String(-HOT_PATHS - 1)],
      ];
    default:
      return change satisfies never;
  }
}
