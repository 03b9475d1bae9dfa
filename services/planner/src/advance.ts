import { step } from "./carry-out.ts";
import type { PlannerContext } from "./context.ts";
import { decideNext } from "./ledger/decide-next.ts";
import { takeStep } from "./ledger/steps.ts";
import { orderRevert } from "./order-revert.ts";

/** Finishing a feature is more urgent than beginning another. */
const FINISHING = 0;

/**
 * Moves a feature on until it waits for others; what needs the model is enqueued for a planning turn. Called after every
 * message and by the audit. It may be called at any time: of two concurrent calls the ledger's compare-and-set lets one
 * win.
 */
export async function advance(ctx: PlannerContext, featureId: string): Promise<void> {
  for (;;) {
    const need = await ctx.ledgers.read(featureId, (ledger) =>
      ledger === null ? null : { next: decideNext(ledger), feature: ledger.feature },
    );
    if (need === null || need.next.kind === "wait") return;
    if (need.next.kind === "plan") return ctx.scheduler.enqueue(featureId, need.feature.priority);
    if (need.next.kind === "accept") return ctx.scheduler.enqueue(featureId, FINISHING);
    if (need.next.kind === "revert") {
      await orderRevert(ctx, need.feature);
      continue;
    }
    const at = await ctx.connection.now();
    // Decided again on the newest ledger, because a concurrent message may have acted on the same need.
    await step(ctx, featureId, (now) => now && takeStep(now, decideNext(now), at));
  }
}
