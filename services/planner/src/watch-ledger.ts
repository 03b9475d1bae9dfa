import type { PlannerContext } from "./context.ts";

/**
 * Says loudly when the ledger is gone although the trunk carries landings: Redis was wiped, or is not the one that
 * was used before. Silence would look like a swarm with nothing to do.
 */
export async function alarmIfLost(ctx: PlannerContext): Promise<void> {
  if (!(await ctx.ledgers.isEmpty())) return;
  await ctx.mirror.fetch();
  const landings = await ctx.mirror.landings(await ctx.mirror.head());
  if (landings.length === 0) return;
  ctx.log.error(
    { landings: landings.length, trunk: ctx.mirror.trunk },
    "THE LEDGER IS EMPTY, but the trunk carries landings: Redis was wiped or is another one (REDIS_URL, QUEUE_PREFIX). Features that were under way are unknown here and must be submitted again; what landed is safe in git",
  );
}

/** Watches for a Redis that is wiped while the swarm runs, which takes the audit's own schedule with it. */
export function watchLedger(ctx: PlannerContext, everyMs: number, schedule: () => Promise<void>): Disposable {
  let busy = false;
  const look = async () => {
    if (busy) return;
    busy = true;
    try {
      const scheduled = await ctx.connection.queue("plan").getJobScheduler("audit");
      if (scheduled !== undefined) return;
      // Whatever was submitted since is in the ledger, so that an empty one is not the only sign.
      ctx.log.error("THE AUDIT'S SCHEDULE IS GONE from Redis, so Redis was wiped; it is put back");
      await schedule();
      await alarmIfLost(ctx);
    } catch (error) {
      ctx.log.warn({ err: error }, "the ledger could not be looked at");
    } finally {
      busy = false;
    }
  };
  const timer = setInterval(() => void look(), everyMs);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
