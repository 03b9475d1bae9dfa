import type { QueueConnection } from "@agentswarm/queue";
import { ledgerSchema, type Ledger } from "./ledger.ts";
import { unreadableLedger } from "./read-ledger.ts";
import { ledgerBase } from "./stored-ledger.ts";
import { writesBetween, type Writes } from "./writes-between.ts";

/** Where version 0.1 kept each feature's ledger as one document. */
function keysOf(connection: Pick<QueueConnection, "key">) {
  return {
    values: connection.key("documents", "ledger"),
    versions: connection.key("documents", "ledger", "versions"),
  };
}

/** Ids of the features whose ledger is still one document. */
export function olderLedgerIds(connection: QueueConnection): Promise<string[]> {
  return connection.redis.hkeys(keysOf(connection).values);
}

interface OlderLedger {
  readonly ledger: Ledger;
  readonly version: number;
}

/** The ledger of a feature that is still one document, or null. Throws Fault `internal` for one that cannot be read. */
export async function readOlderLedger(
  connection: QueueConnection,
  featureId: string,
): Promise<OlderLedger | null> {
  const { values, versions } = keysOf(connection);
  const found = await connection.redis.multi().hget(values, featureId).hget(versions, featureId).exec();
  const [text, version] = (found ?? []).map(([, value]) => value as string | null);
  if (text === undefined || text === null) return null;
  const parsed = ledgerSchema.safeParse(parseJson(text));
  if (!parsed.success) throw unreadableLedger(featureId, parsed.error.message.slice(0, 1_000));
  return { ledger: parsed.data, version: Number(version ?? 1) };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Writes an older ledger task by task and removes its document, unless the document has changed meanwhile. Pure. */
export function moveOlderLedger(
  connection: Pick<QueueConnection, "key">,
  { ledger, version }: OlderLedger,
): Writes {
  const { values, versions } = keysOf(connection);
  const { id } = ledger.feature;
  const { compare, commands, entry } = writesBetween(null, ledger, {
    connection,
    places: new Map(),
    nextPlace: 0,
    dependsOnAll: false,
    entry: String(version),
    firstVersion: version,
    reviews: null,
  });
  return {
    compare: [...compare, [versions, id, String(version)]],
    commands: [
      ...commands,
      // Events are ordered by version, so the numbers go on from those of the document.
      ["HSET", `${ledgerBase(connection, id)}:head`, "revision", String(version)],
      ["HDEL", values, id],
      ["HDEL", versions, id],
    ],
    entry,
  };
}
