import { randomUUID } from "node:crypto";
import { Fault, type DomainEvent, type RebuildReport } from "@agentswarm/contracts";
import type { QueueConnection } from "@agentswarm/queue";
import { beginAnew } from "./begin-anew.ts";
import type { EventArchive } from "./event-archive.ts";
import { keepOlderViews } from "./keep-older-views.ts";
import { projectBatch } from "./project-batch.ts";
import { allViewKeys, viewKeys } from "./view-keys.ts";
import { isCounted, openViewStore, rebuildKey, type ViewStore } from "./view-store.ts";

/** How long a rebuild holds its right without a sign of life; it gives one with every batch. */
const HELD_MS = 30_000;
const BATCH = 500;
const NAMED = 100;

const CLAIM = `
if redis.call("SET", KEYS[1], ARGV[1], "NX", "PX", ARGV[2]) then return 1 end
return 0`;

/** Puts the new views in the place of the others, if the rebuild has not lost its right meanwhile. */
const SWAP = `
if redis.call("GET", KEYS[1]) ~= ARGV[1] then return 0 end
for nth = 2, #KEYS, 2 do
  if redis.call("EXISTS", KEYS[nth]) == 1 then redis.call("RENAME", KEYS[nth], KEYS[nth + 1])
  else redis.call("DEL", KEYS[nth + 1]) end
end
redis.call("DEL", KEYS[1])
return 1`;

/**
 * Makes a set of views beside the present ones with `fill`, and puts them in their place in one step. Events wait
 * meanwhile. Null when somebody else is making views now. A rebuild that is killed leaves the present views as they are.
 */
export async function replaceViews<T>(
  connection: QueueConnection,
  fill: (views: ViewStore, renew: () => Promise<void>) => Promise<T>,
): Promise<T | null> {
  const { redis } = connection;
  const token = randomUUID();
  const right = rebuildKey(connection);
  if ((await redis.eval(CLAIM, 1, right, token, HELD_MS)) !== 1) return null;
  const renew = async () => {
    if ((await redis.get(right)) !== token || (await redis.pexpire(right, HELD_MS)) !== 1) throw lostRight();
  };
  try {
    const views = openViewStore(connection, { set: "view-new", rebuild: token });
    const fresh = allViewKeys(views.keys);
    await redis.unlink(...fresh);
    const result = await fill(views, renew);
    await redis.set(views.keys.filled, String(await connection.now()));
    const present = allViewKeys(viewKeys(connection, "view"));
    const pairs = fresh.flatMap((key, nth) => [key, present[nth] ?? ""]);
    if ((await redis.eval(SWAP, pairs.length + 1, right, ...pairs, token)) !== 1) throw lostRight();
    return result;
  } catch (error) {
    if ((await redis.get(right)) === token) await redis.del(right);
    throw error;
  }
}

function lostRight(): Fault {
  return new Fault(
    "conflict",
    "the rebuild was silent for so long that another one may have begun: start it again",
  );
}

/**
 * Makes the views from the archive. Features that began before the archive does keep their present views. `afterWipe` is
 * called for new views of a Redis that was wiped; it returns the features that were sent to the planner again. Null when
 * somebody else is making views now.
 */
export function rebuildFromArchive(
  connection: QueueConnection,
  archive: EventArchive,
  afterWipe: (views: ViewStore) => Promise<{ id: string }[]> = async () => [],
): Promise<RebuildReport | null> {
  return replaceViews(connection, async (views, renew) => {
    let events = 0;
    let unreadable = 0;
    const firstUnreadable: string[] = [];
    const takeIn = async (batch: DomainEvent[]) => {
      await renew();
      const seen = await views.findSeen(batch);
      const fresh = [...new Map(batch.map((event) => [event.id, event])).values()].filter(
        ({ id }) => !seen.has(id),
      );
      const changes = projectBatch(await views.load(fresh), fresh, connection.report);
      if ((await views.commit(changes, fresh)) !== "done") throw lostRight();
      events += fresh.length;
    };
    let batch: DomainEvent[] = [];
    const flush = async () => {
      if (batch.length > 0) await takeIn(batch);
      batch = [];
    };
    for await (const line of archive.lines()) {
      if (line.kind === "unreadable") {
        unreadable += 1;
        if (firstUnreadable.length < NAMED) firstUnreadable.push(line.where);
      } else if (line.kind === "wipe") {
        await flush();
        await beginAnew(views, line.at);
      } else if (isCounted(line.event)) batch.push(line.event);
      if (batch.length >= BATCH) await flush();
    }
    await flush();
    const kept = await keepOlderViews(openViewStore(connection), views, renew);
    const [features, tasks, waiting] = await Promise.all([
      connection.redis.hlen(views.keys.documents.features),
      connection.redis.hlen(views.keys.documents.tasks),
      connection.redis.hkeys(views.keys.documents.early),
    ]);
    return {
      since: (await archive.days())[0] ?? null,
      events,
      features,
      tasks,
      keptFeatures: kept,
      withoutBeginning: waiting.toSorted().slice(0, NAMED),
      unreadableLines: unreadable,
      firstUnreadable,
      sentAgain: (await afterWipe(views)).map(({ id }) => id).slice(0, NAMED),
    };
  });
}
