import type { Next } from "./decide-next.ts";
import { hasEnded, type Ledger } from "./ledger.ts";

/** Small pure steps that several messages use. */

const REASON_CHARS = 8_000;

/** Applies a change unless the feature has ended. */
export function unlessEnded(ledger: Ledger | null, change: (ledger: Ledger) => Ledger): Ledger | null {
  return ledger === null || hasEnded(ledger) ? ledger : change(ledger);
}

/** Applies the answer to a question about the plan, unless the ledger does not wait for the answer to `asked` any more. */
export function inPlanningTurn(
  ledger: Ledger | null,
  asked: Pick<Ledger, "planningRound" | "refusedPlans">,
  change: (ledger: Ledger) => Ledger,
): Ledger | null {
  const waits =
    ledger?.status === "planning" &&
    ledger.planningRound === asked.planningRound &&
    ledger.refusedPlans === asked.refusedPlans;
  return waits ? change(ledger) : ledger;
}

/** The feature in its next planning round. */
export function replan(ledger: Ledger, why: string): Ledger {
  return {
    ...ledger,
    status: "planning",
    planningRound: ledger.planningRound + 1,
    planningWhy: why.slice(0, REASON_CHARS),
    refusedPlans: 0,
    refusal: "",
  };
}

/** The feature after an invalid plan: the next one is made in the same round, with both reasons in its prompt. */
export function refusePlanning(ledger: Ledger, why: string): Ledger {
  return { ...ledger, refusedPlans: ledger.refusedPlans + 1, refusal: why.slice(0, REASON_CHARS) };
}

/** Applies a decision that needs no model call. */
export function takeStep(ledger: Ledger, next: Next, at: number): Ledger {
  switch (next.kind) {
    case "replan":
      return replan(ledger, next.why);
    case "hold":
      return { ...ledger, status: "held", reason: next.why };
    case "reverted":
      return { ...ledger, status: "cancelled", reason: next.why, finishedAt: at };
    case "fail":
      return { ...ledger, status: "failed", reason: next.why, finishedAt: at };
    default:
      return ledger;
  }
}
