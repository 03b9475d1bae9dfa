import type { BudgetHandle } from "@agentswarm/contracts";

/** A budget that grants every reservation. */
export const UNLIMITED_BUDGET: BudgetHandle = {
  reserve: () => Promise.resolve({ kind: "granted", commitReservation: () => Promise.resolve() }),
};
