import { Fault, jobId, slug, type PlanMessage } from "@agentswarm/contracts";
import { jobState } from "@agentswarm/queue";
import { absorbSweep } from "./absorb-sweep.ts";
import { advance } from "./advance.ts";
import { audit } from "./audit.ts";
import { step } from "./carry-out.ts";
import { absorbHandoff } from "./ledger/absorb-handoff.ts";
import { newLedger, type Ledger } from "./ledger/ledger.ts";
import { rememberCost } from "./cost-history.ts";
import { cancelFeature, decideHeld, giveBudget, retryTask } from "./people.ts";
import type { Workshop } from "./workshop.ts";

const FEATURE_WAIT_MS = 200;

/** One message of the `plan` queue: a pure step of one ledger, then whatever follows from it. May run twice. */
export async function handlePlan(shop: Workshop, message: PlanMessage, messageId: string): Promise<void> {
  switch (message.kind) {
    case "feature": {
      const { feature } = message;
      return move(shop, feature.id, (ledger) => ledger ?? newLedger(feature, slug(feature.title)));
    }
    case "cancel": {
      const now = await shop.connection.now();
      return move(shop, message.featureId, (ledger) => ledger && cancelFeature(ledger, message.by, now));
    }
    case "budget": {
      const { featureId, budget } = message;
      await step(shop, featureId, (ledger) => ledger && giveBudget(ledger, budget));
      // The step after the cap is set sends what had waited for it.
      return move(shop, featureId, (ledger) => ledger);
    }
    case "handoff": {
      const { featureId, handoff, outcome } = message;
      await move(shop, featureId, (ledger) => ledger && absorbHandoff(ledger, handoff, outcome));
      return rememberCost(shop, featureId, handoff.taskId);
    }
    case "retry":
      return moveTask(shop, message.taskId, (ledger) => retryTask(ledger, message.taskId, message.by));
    case "approve":
      return moveTask(shop, message.taskId, (ledger) => decideHeld(ledger, message));
    case "swept":
      return absorbSweep(shop, message.sweep, messageId);
    case "audit":
      return audit(shop);
  }
}

async function move(
  shop: Workshop,
  featureId: string,
  change: (ledger: Ledger | null) => Ledger | null,
): Promise<void> {
  if ((await step(shop, featureId, change)) !== null) return advance(shop, featureId);
  const submitted = await jobState(shop.connection, "plan", jobId.feature(featureId));
  if (submitted !== "missing" && submitted !== "completed" && submitted !== "failed") {
    const message = `feature ${featureId} is still to be taken in`;
    throw new Fault("not-found", message, { retryable: true, retryAfterMs: FEATURE_WAIT_MS });
  }
  shop.log.error({ featureId }, "a message for a feature that is not in the ledger: was Redis wiped?");
}

async function moveTask(shop: Workshop, taskId: string, change: (ledger: Ledger) => Ledger): Promise<void> {
  const featureId = await shop.ledgers.featureOf(taskId);
  if (featureId === null) shop.log.error({ taskId }, "a message for a task that is not in the ledger");
  else await move(shop, featureId, (ledger) => ledger && change(ledger));
}
