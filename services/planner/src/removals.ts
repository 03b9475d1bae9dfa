import { asFault, jobId } from "@agentswarm/contracts";
import { mirrorRemovals } from "@agentswarm/git";
import { claimTurn, forgetNumbers, openTasksInUse, removeEndedJob } from "@agentswarm/queue";
import type { Removal } from "@agentswarm/service";
import type { PlannerContext } from "./context.ts";
import { expiredFeatures } from "./expired-features.ts";
import { openResolves } from "./ledger/find-tasks.ts";
import { hasEnded, type Ledger } from "./ledger/ledger.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** A little less than a day, because each planner measures its turns by itself. */
const EVERY_MS = DAY_MS - HOUR_MS;

/** Everything that a planner keeps for a time, and its removal. */
export function plannerRemovals(ctx: PlannerContext, ledgerDays: number): Removal[] {
  const copies = ctx.repos.flatMap(({ mirror }) => (mirror.isCopy ? [mirror.dir] : []));
  return [
    {
      // The dispatcher removes attempts, and only the planner knows which of them are still needed.
      name: "attempts of no task in use",
      async remove() {
        await tellTasksInUse(ctx);
        return 0;
      },
    },
    {
      name: "features",
      async remove(signal) {
        if (!(await claimTurn(ctx.connection, "remove-features", EVERY_MS))) return 0;
        return removeOldFeatures(ctx, (await ctx.connection.now()) - ledgerDays * DAY_MS, signal);
      },
    },
    ...mirrorRemovals(copies),
  ];
}

/** Says which tasks may land yet, and which are a side of a conflict that is being resolved. */
export async function tellTasksInUse(
  ctx: Pick<PlannerContext, "connection" | "ledgers" | "log">,
): Promise<void> {
  const { connection, ledgers, log } = ctx;
  const inUse = new Set<string>();
  for (const featureId of await ledgers.open()) {
    for (const id of await ledgers.mayLand(featureId)) inUse.add(id);
    try {
      const sides = await ledgers.read(featureId, (ledger) => (ledger === null ? [] : sidesOf(ledger)));
      for (const id of sides) inUse.add(id);
    } catch (error) {
      const fault = asFault(error);
      if (fault.source === "machine") throw fault;
      log.warn({ featureId, err: fault }, "the resolves of a feature are left out: it cannot be read");
    }
  }
  await openTasksInUse(connection).tell([...inUse]);
}

function sidesOf(ledger: Ledger): string[] {
  return openResolves(ledger).flatMap(({ task }) => task.resolve?.taskId ?? []);
}

/**
 * Removes what Redis has of features that ended before `before` (Redis time): ledger, survey, budget, the counters of its
 * tasks and its submission. Returns the number of features.
 */
export async function removeOldFeatures(
  ctx: Pick<PlannerContext, "connection" | "ledgers" | "budgets" | "surveys" | "log">,
  before: number,
  signal: AbortSignal,
): Promise<number> {
  const { connection, ledgers, budgets, surveys } = ctx;
  let removed = 0;
  for (const { id, ledger } of expiredFeatures(await readEnded(ctx, signal), before)) {
    signal.throwIfAborted();
    await surveys.delete(id);
    await budgets.forgetFeature(id);
    await forgetNumbers(
      connection,
      (await ledgers.taskIds(id)).map((taskId) => `attempts-${taskId}`),
    );
    await removeEndedJob(connection, "plan", jobId.feature(id));
    // Last, because a crash in between leaves the ledger, by which the rest is found again.
    if (await ledgers.forget(ledger)) removed += 1;
  }
  return removed;
}

async function readEnded(
  { ledgers, log }: Pick<PlannerContext, "ledgers" | "log">,
  signal: AbortSignal,
): Promise<{ id: string; finishedAt: number; ledger: Ledger }[]> {
  const open = new Set(await ledgers.open());
  const ended: { id: string; finishedAt: number; ledger: Ledger }[] = [];
  for (const id of await ledgers.ids()) {
    if (open.has(id)) continue;
    signal.throwIfAborted();
    try {
      const ledger = await ledgers.get(id);
      if (ledger !== null && hasEnded(ledger) && ledger.finishedAt !== null)
        ended.push({ id, finishedAt: ledger.finishedAt, ledger });
    } catch (error) {
      const fault = asFault(error);
      if (fault.source === "machine") throw fault;
      log.warn({ featureId: id, err: fault }, "the ledger of a feature is left out");
    }
  }
  return ended;
}
