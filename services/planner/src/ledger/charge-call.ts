import type { Usage } from "@agentswarm/llm";
import type { Effect } from "./effect.ts";
import type { Ledger } from "./ledger.ts";

const KEPT_IDS = 100;

/** One model call of the planner that was paid. */
export interface PaidCall {
  /** Unique per call; also the id of its event. */
  readonly id: string;
  readonly role: "plan" | "accept";
  readonly model: string;
  readonly usage: Usage;
}

/** Adds a model call to the feature's sums and emits its `model.used`; a call that was added before changes nothing. */
export function chargeCall(ledger: Ledger, { id, role, model, usage }: PaidCall): Ledger {
  if (ledger.chargedCalls.includes(id)) return ledger;
  const { id: featureId, repoId } = ledger.feature;
  const used: Effect = {
    kind: "emit",
    event: { id, type: "model.used", repoId, featureId, data: { role, model, ...usage } },
  };
  return {
    ...ledger,
    costUsd: ledger.costUsd + usage.costUsd,
    tokens: ledger.tokens + usage.tokensIn + usage.tokensOut,
    chargedCalls: [...ledger.chargedCalls, id].slice(-KEPT_IDS),
    pending: [...ledger.pending, used],
  };
}
