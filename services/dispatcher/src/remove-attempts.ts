import { packRefs, pruneObjects, type Store } from "@agentswarm/git";
import { claimTurn, openTasksInUse, type QueueConnection } from "@agentswarm/queue";
import type { Logger, Removal } from "@agentswarm/service";
import { expiredRounds } from "./expired-attempts.ts";
import type { Rounds } from "./rounds.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** A little less than the time between two turns, which each dispatcher measures by itself. */
const PACK_EVERY_MS = HOUR_MS - 600_000;
/** Refs are removed at the end of a turn and their objects at the beginning of the next, when no fetch counts on them. */
const REMOVE_EVERY_MS = DAY_MS - HOUR_MS;

/**
 * The upkeep of the stores that all dispatchers share: one of them does it. Every hour the refs are packed; every day the
 * objects that no ref holds are removed, and the refs of attempts of which nothing happened for ATTEMPT_DAYS.
 */
export function storeRemovals(options: {
  readonly connection: QueueConnection;
  readonly stores: readonly Store[];
  readonly rounds: Rounds;
  /** ATTEMPT_DAYS. */
  readonly attemptDays: number;
  readonly log: Pick<Logger, "warn">;
}): Removal[] {
  const { connection, stores, rounds, attemptDays, log } = options;
  const keptMs = attemptDays * DAY_MS;
  return [
    {
      name: "attempts",
      async remove(signal) {
        if (!(await claimTurn(connection, "remove-attempts", REMOVE_EVERY_MS))) return 0;
        for (const { dir } of stores) await pruneObjects(dir, Date.now() - keptMs, signal);
        await noteUnknown(stores, rounds);
        const inUse = await openTasksInUse(connection).read(DAY_MS);
        if (inUse !== null)
          return removeExpired(stores, rounds, inUse, { now: await connection.now(), keptMs });
        log.warn("no attempt is removed: no planner has said for a day which tasks are in use");
        return 0;
      },
    },
    {
      name: "loose refs",
      async remove(signal) {
        if (!(await claimTurn(connection, "pack-refs", PACK_EVERY_MS))) return 0;
        for (const { dir } of stores) await packRefs(dir, signal);
        return 0;
      },
    },
  ];
}

/** An attempt without a note, for example from before a wiped Redis, is noted now. */
async function noteUnknown(stores: readonly Store[], rounds: Rounds): Promise<void> {
  const noted = new Set(
    [...(await rounds.all()).values()].flatMap(({ taskId, attempts }) =>
      attempts.map((one) => `${taskId}.${one}`),
    ),
  );
  for (const store of stores) {
    for (const { taskId, attempt } of await store.listAll()) {
      if (!noted.has(`${taskId}.${attempt}`)) await rounds.opened(taskId, 0, attempt);
    }
  }
}

async function removeExpired(
  stores: readonly Store[],
  rounds: Rounds,
  inUse: ReadonlySet<string>,
  times: { readonly now: number; readonly keptMs: number },
): Promise<number> {
  const expired = expiredRounds(await rounds.all(), inUse, times);
  const attempts = expired.flatMap(({ taskId, attempts: numbers }) =>
    numbers.map((attempt) => ({ taskId, attempt })),
  );
  for (const store of stores) await store.remove(attempts);
  for (const { key } of expired) await rounds.forget(key);
  return attempts.length;
}
