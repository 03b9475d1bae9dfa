import { withTrace } from "@agentswarm/contracts/node";
import type { Ledger } from "./ledger/ledger.ts";

/**
 * Runs `work` in the trace of the feature's submission, so that everything that is sent and logged for the feature has
 * that trace id, whichever message or audit led to it. A ledger without a trace keeps the current one.
 */
export function inFeatureTrace<T>({ trace }: Pick<Ledger, "trace">, work: () => T): T {
  return trace === null ? work() : withTrace(trace, work);
}
