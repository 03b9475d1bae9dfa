import { hasSchedule } from "@agentswarm/queue";
import type { PlannerContext } from "./context.ts";

/**
 * Logs an error when there is no ledger although the trunk has landings: Redis was wiped, or is another one than before.
 * Without the error the swarm would look idle.
 */
export async function alarmIfLost(ctx: PlannerContext): Promise<void> {
  if ((await ctx.ledgers.ids()).length > 0) return;
  for (const { mirror } of ctx.repos) {
    await mirror.fetch();
    const landings = await mirror.landings(await mirror.head());
    if (landings.length === 0) continue;
    ctx.log.error(
      { landings: landings.length, trunk: mirror.trunk },
      "THE LEDGER IS EMPTY, but the trunk has landings: Redis was wiped, or REDIS_URL or QUEUE_PREFIX names another one. Submit unfinished features again; landed work is safe in git",
    );
  }
}

/** Detects that Redis is wiped while the planner runs, by the missing schedule of the audit, and restores the schedule. */
export function watchLedger(ctx: PlannerContext, everyMs: number, schedule: () => Promise<void>): Disposable {
  let busy = false;
  const look = async () => {
    if (busy) return;
    busy = true;
    try {
      if (await hasSchedule(ctx.connection, "plan", "audit")) return;
      // Features that were submitted since have ledgers again, so an empty ledger is not a sufficient sign.
      ctx.log.error("THE AUDIT'S SCHEDULE IS GONE from Redis, so Redis was wiped; the schedule is restored");
      await schedule();
      await alarmIfLost(ctx);
    } catch (error) {
      ctx.log.warn({ err: error }, "the schedule of the audit could not be read; retrying");
    } finally {
      busy = false;
    }
  };
  const timer = setInterval(() => void look(), everyMs);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
