import { step } from "./carry-out.ts";
import type { PlannerContext } from "./context.ts";
import { decideNext } from "./ledger/decide-next.ts";
import { takeStep } from "./ledger/steps.ts";

/** Finishing a feature is more urgent than beginning another. */
const FINISHING = 0;

/**
 * Moves a feature on until it waits for others; what needs the model is enqueued for a planning turn. Called after every
 * message and by the audit. It may be called at any time: of two concurrent calls the ledger's compare-and-set lets one
 * win.
 */
export async function advance(ctx: PlannerContext, featureId: string): Promise<void> {
  for (;;) {
    const ledger = await ctx.ledgers.get(featureId);
    if (ledger === null) return;
    const next = decideNext(ledger);
    if (next.kind === "wait") return;
    if (next.kind === "plan") return ctx.scheduler.enqueue(featureId, ledger.feature.priority);
    if (next.kind === "accept") return ctx.scheduler.enqueue(featureId, FINISHING);
    const at = await ctx.connection.now();
    // Decided again on the newest ledger, because a concurrent message may have acted on the same need.
    await step(ctx, featureId, (now) => now && takeStep(now, decideNext(now), at));
  }
}
