import type { QueueConnection } from "@agentswarm/queue";
import { effectSchema } from "../src/ledger/effect.ts";
import { headSchema, revisionSchema, type Ledger } from "../src/ledger/ledger.ts";
import { ledgerBase, openTask, type LedgerKey, type PlacedRecord } from "../src/ledger/stored-ledger.ts";

/** A whole ledger as it lies in Redis, for tests: its tasks in the order of their making. */
export async function readWhole(connection: QueueConnection, featureId: string): Promise<Ledger | undefined> {
  const { redis } = connection;
  const key = (name: LedgerKey) => `${ledgerBase(connection, featureId)}:${name}`;
  const document = await redis.hget(key("head"), "document");
  if (document === null) return undefined;
  const texts = await redis.hvals(key("tasks"));
  const sums = await redis.hgetall(key("sums"));
  const entries = await redis.hvals(key("outbox"));
  const effectsOf = (entry: string) => (JSON.parse(entry) as { effects: unknown[] }).effects;
  return {
    ...headSchema.parse(JSON.parse(document)),
    costUsd: Number(sums["costUsd"] ?? 0),
    tokens: Number(sums["tokens"] ?? 0),
    tasks: texts
      .map(placed)
      .toSorted((a, b) => a.nth - b.nth)
      .map(({ record }) => record),
    revisions: (await redis.lrange(key("revisions"), 0, -1)).map((text) =>
      revisionSchema.parse(JSON.parse(text)),
    ),
    pending: entries.flatMap(effectsOf).map((effect) => effectSchema.parse(effect)),
    due: await redis.zrange(key("due"), "0", "-1"),
  };
}

function placed(text: string): PlacedRecord {
  const opened = openTask(text);
  if (opened.kind !== "read") throw new Error(`a record that is ${opened.kind}: ${text}`);
  return opened.value;
}

/** A ledger without the times of its decisions: the store asks at Redis time, a ledger in memory at a time of its own. */
export function withoutTimes(ledger: Ledger): unknown {
  const times = new Set(["askedAt", "dueAt", "endedAt", "at"]);
  return JSON.parse(JSON.stringify(ledger, (key, value: unknown) => (times.has(key) ? null : value)));
}
