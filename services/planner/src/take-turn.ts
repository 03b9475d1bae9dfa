import { newTraceparent, type Fault } from "@agentswarm/contracts";
import { acquireLease } from "@agentswarm/queue";
import { acceptFeature } from "./accept-feature.ts";
import { advance } from "./advance.ts";
import { refreshBudget, step } from "./carry-out.ts";
import type { PlannerContext } from "./context.ts";
import { inFeatureTrace } from "./feature-trace.ts";
import { decideNext } from "./ledger/decide-next.ts";
import type { Ledger } from "./ledger/ledger.ts";
import { unlessEnded } from "./ledger/steps.ts";
import { planFeature } from "./plan-feature.ts";

/** Number of failures that a retry cannot repair, in a row, after which a feature fails. */
const FAILURES = 3;

/** A dead holder loses the lease at once; this time is for a holder that is cut off from Redis or stopped. */
const LEASE_MS = 15_000;

/**
 * A feature's planning turn: asks the model for a plan or for the acceptance, then moves the feature on. One planner at a
 * time takes the turn of a feature. Another one that wants it too leaves it to the holder, and the next audit looks again.
 */
export async function takeTurn(ctx: PlannerContext, featureId: string, signal: AbortSignal): Promise<void> {
  // The audit takes the turn up again once the swarm is resumed.
  if ((await ctx.pauses.read({ kind: "swarm" })) !== null) return;
  await using lease = await acquireLease(ctx.connection, `planning-${featureId}`, LEASE_MS);
  if (lease === null) return;
  // Read under the lease: the holder before may have taken the turn meanwhile.
  const turn = await ctx.ledgers.read(featureId, (now) => now && { ledger: now, next: decideNext(now).kind });
  if (turn === null) return;
  const { ledger, next } = turn;
  // A turn may have been started from another feature's message, whose trace it must not take over.
  await inFeatureTrace({ trace: ledger.trace ?? newTraceparent() }, async () => {
    const ending = AbortSignal.any([signal, lease.lost]);
    try {
      if (next === "plan") await ctx.trunkStates.requireNoHold(ledger.feature.repoId);
      if (next === "plan") await planFeature(ctx, await begin(ctx, ledger), ending);
      if (next === "accept") await acceptFeature(ctx, ledger, ending);
    } catch (error) {
      if (!lease.lost.aborted || signal.aborted) throw error;
      ctx.log.warn({ featureId }, "the lease of a planning turn was lost; another planner takes the turn");
      return;
    }
    await ctx.waiting.clear({ repoId: ledger.feature.repoId, featureId });
    await advance(ctx, featureId);
  });
}

async function begin(ctx: PlannerContext, ledger: Ledger): Promise<Ledger> {
  if (ledger.status !== "queued") return ledger;
  const begun = await step(ctx, ledger.feature.id, (now) =>
    now?.status === "queued" ? { ...now, status: "planning" } : now,
  );
  return begun ?? ledger;
}

/** Decides after a failed turn: true retries it after a back-off. A permanent failure ends the feature with the reason. */
export async function afterFailedTurn(
  ctx: PlannerContext,
  featureId: string,
  fault: Fault,
  failures: number,
): Promise<boolean> {
  const ledger = await ctx.ledgers.get(featureId);
  return inFeatureTrace({ trace: ledger?.trace ?? null }, async () => {
    // What only waits needs no stack: it comes again with every retry.
    const why = fault.retryable ? { code: fault.code, why: fault.message } : { err: fault };
    ctx.log.warn({ featureId, ...why, failures }, "a planning turn failed");
    // The feature waits for budget; the audit enqueues the next turn when there is some.
    if (fault.code === "budget.reached") {
      await refreshBudget(ctx, featureId);
      return false;
    }
    if (fault.retryable && ledger !== null)
      await ctx.waiting.note({ repoId: ledger.feature.repoId, featureId }, fault);
    if (fault.retryable || failures < FAILURES) return true;
    const finishedAt = await ctx.connection.now();
    const reason = `${fault.code}: ${fault.message}`;
    await step(ctx, featureId, (now) =>
      unlessEnded(now, (open) => ({ ...open, status: "failed", reason, finishedAt })),
    );
    return false;
  });
}
