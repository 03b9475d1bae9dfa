import type { Fault } from "@agentswarm/contracts";
import { acceptFeature } from "./accept.ts";
import { step } from "./carry-out.ts";
import { decideNext } from "./ledger/decide-next.ts";
import type { Ledger } from "./ledger/ledger.ts";
import { takeStep, unlessEnded } from "./ledger/steps.ts";
import { planFeature } from "./plan-feature.ts";
import type { PlannerContext } from "./context.ts";

/** How often a turn may fail for a reason that waiting does not mend before the feature is given up. */
const TROUBLES = 3;
/** To finish a feature comes before beginning another. */
const FINISHING = 0;

/**
 * Moves a feature on as far as it goes by itself; what needs the model waits for its turn. Called after every
 * message and by the audit; calling it at any time does no harm, for the ledger's compare-and-set lets one win.
 */
export async function advance(ctx: PlannerContext, featureId: string): Promise<void> {
  for (;;) {
    const ledger = await ctx.ledgers.get(featureId);
    if (ledger === null) return;
    const next = decideNext(ledger);
    if (next.kind === "wait") return;
    if (next.kind === "plan") return ctx.foreman.call(featureId, ledger.feature.priority);
    if (next.kind === "accept") return ctx.foreman.call(featureId, FINISHING);
    const at = await ctx.connection.now();
    // Decided again on the newest ledger: two messages may have seen the same need.
    await step(ctx, featureId, (now) => now && takeStep(now, decideNext(now), at));
  }
}

/** A feature's turn with the model. */
export async function takeTurn(ctx: PlannerContext, featureId: string, signal: AbortSignal): Promise<void> {
  const ledger = await ctx.ledgers.get(featureId);
  if (ledger === null) return;
  const { kind } = decideNext(ledger);
  if (kind === "plan") await planFeature(ctx, await begin(ctx, ledger), signal);
  if (kind === "accept") await acceptFeature(ctx, ledger, signal);
  await advance(ctx, featureId);
}

async function begin(ctx: PlannerContext, ledger: Ledger): Promise<Ledger> {
  if (ledger.status !== "queued") return ledger;
  const begun = await step(ctx, ledger.feature.id, (now) =>
    now?.status === "queued" ? { ...now, status: "planning" } : now,
  );
  return begun ?? ledger;
}

/** What goes wrong for a while is tried again; what stays wrong ends the feature with the reason. */
export async function onTrouble(
  ctx: PlannerContext,
  featureId: string,
  fault: Fault,
  troubles: number,
): Promise<boolean> {
  ctx.log.warn({ featureId, err: fault, troubles }, "the feature could not be moved on");
  // It waits for money, and the audit gives it its turn when there is some.
  if (fault.code === "budget.reached") {
    await step(ctx, featureId, (now) => now);
    return false;
  }
  if (fault.retryable || troubles < TROUBLES) return true;
  const finishedAt = await ctx.connection.now();
  const reason = `${fault.code}: ${fault.message}`;
  await step(ctx, featureId, (now) =>
    unlessEnded(now, (open) => ({ ...open, status: "failed", reason, finishedAt })),
  );
  return false;
}
