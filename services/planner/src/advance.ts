import type { Fault } from "@agentswarm/contracts";
import { acceptFeature } from "./accept.ts";
import { step } from "./carry-out.ts";
import { decideNext } from "./ledger/decide-next.ts";
import type { Ledger } from "./ledger/ledger.ts";
import { takeStep, unlessEnded } from "./ledger/steps.ts";
import { planFeature } from "./plan-feature.ts";
import type { Workshop } from "./workshop.ts";

/** How often a turn may fail for a reason that waiting does not mend before the feature is given up. */
const TROUBLES = 3;
/** To finish a feature comes before beginning another. */
const FINISHING = 0;

/**
 * Moves a feature on as far as it goes by itself; what needs the model waits for its turn. Called after every
 * message and by the audit; calling it at any time does no harm, for the ledger's compare-and-set lets one win.
 */
export async function advance(shop: Workshop, featureId: string): Promise<void> {
  for (;;) {
    const ledger = await shop.ledgers.get(featureId);
    if (ledger === null) return;
    const next = decideNext(ledger);
    if (next.kind === "wait") return;
    if (next.kind === "plan") return shop.foreman.call(featureId, ledger.feature.priority);
    if (next.kind === "accept") return shop.foreman.call(featureId, FINISHING);
    const at = await shop.connection.now();
    // Decided again on the newest ledger: two messages may have seen the same need.
    await step(shop, featureId, (now) => now && takeStep(now, decideNext(now), at));
  }
}

/** A feature's turn with the model. */
export async function takeTurn(shop: Workshop, featureId: string, signal: AbortSignal): Promise<void> {
  const ledger = await shop.ledgers.get(featureId);
  if (ledger === null) return;
  const { kind } = decideNext(ledger);
  if (kind === "plan") await planFeature(shop, await begin(shop, ledger), signal);
  if (kind === "accept") await acceptFeature(shop, ledger, signal);
  await advance(shop, featureId);
}

async function begin(shop: Workshop, ledger: Ledger): Promise<Ledger> {
  if (ledger.status !== "queued") return ledger;
  const begun = await step(shop, ledger.feature.id, (now) =>
    now?.status === "queued" ? { ...now, status: "planning" } : now,
  );
  return begun ?? ledger;
}

/** What goes wrong for a while is tried again; what stays wrong ends the feature with the reason. */
export async function onTrouble(
  shop: Workshop,
  featureId: string,
  fault: Fault,
  troubles: number,
): Promise<boolean> {
  shop.log.warn({ featureId, err: fault, troubles }, "the feature could not be moved on");
  // It waits for money, and the audit gives it its turn when there is some.
  if (fault.code === "budget.reached") {
    await step(shop, featureId, (now) => now);
    return false;
  }
  if (fault.retryable || troubles < TROUBLES) return true;
  const finishedAt = await shop.connection.now();
  const reason = `${fault.code}: ${fault.message}`;
  await step(shop, featureId, (now) =>
    unlessEnded(now, (open) => ({ ...open, status: "failed", reason, finishedAt })),
  );
  return false;
}
