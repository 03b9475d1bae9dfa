import { acceptFeature } from "./accept.ts";
import { step } from "./carry-out.ts";
import { decideNext } from "./ledger/decide-next.ts";
import { replan, unlessEnded } from "./ledger/steps.ts";
import { planFeature } from "./plan-feature.ts";
import type { Workshop } from "./workshop.ts";

const underWay = new Map<string, Promise<void>>();

/**
 * Moves a feature on as far as it goes by itself: plans it, asks for acceptance, ends it. Called after every
 * message and by the audit; calling it at any time does no harm. One at a time per feature in this process, and
 * across processes the ledger's compare-and-set lets one of two win.
 */
export async function advance(shop: Workshop, featureId: string): Promise<void> {
  const running = underWay.get(featureId);
  if (running !== undefined) {
    await running.catch(() => undefined);
    return advance(shop, featureId);
  }
  const mine = advanceAlone(shop, featureId).finally(() => underWay.delete(featureId));
  underWay.set(featureId, mine);
  return mine;
}

async function advanceAlone(shop: Workshop, featureId: string): Promise<void> {
  for (;;) {
    const ledger = await shop.ledgers.get(featureId);
    if (ledger === null) return;
    const next = decideNext(ledger);
    switch (next.kind) {
      case "wait":
        return;
      case "verify":
        return;
      case "plan":
        await planFeature(shop, ledger);
        break;
      case "accept":
        await acceptFeature(shop, ledger);
        break;
      case "replan":
        await step(shop, featureId, (now) => unlessEnded(now, (open) => replan(open, next.why)));
        break;
      case "hold":
        await step(shop, featureId, (now) =>
          unlessEnded(now, (open) => ({ ...open, status: "held", reason: next.why })),
        );
        return;
      case "fail": {
        const finishedAt = await shop.connection.now();
        await step(shop, featureId, (now) =>
          unlessEnded(now, (open) => ({ ...open, status: "failed", reason: next.why, finishedAt })),
        );
        shop.log.warn({ featureId, reason: next.why }, "the feature failed");
        return;
      }
    }
  }
}
