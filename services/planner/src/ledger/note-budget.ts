import type { UsedUp } from "@agentswarm/contracts";
import type { Ledger } from "./ledger.ts";
import { settle } from "./settle.ts";

/**
 * The ledger with what is known of its budgets: `usedUp` says which one is, or null. Nothing of a feature is sent while
 * one is, and what had waited is sent once none is any more. The same ledger when that is no news.
 */
export function noteBudget(ledger: Ledger, usedUp: UsedUp | null): Ledger {
  const { waiting } = ledger;
  if (waiting?.why === usedUp?.why && waiting?.level === usedUp?.level) return ledger;
  return settle({ ...ledger, waiting: usedUp });
}
