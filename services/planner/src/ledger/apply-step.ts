import type { UsedUp } from "@agentswarm/contracts";
import { tendFeature, tendTasks } from "./decisions/tend-decisions.ts";
import { effectsBetween } from "./effects-between.ts";
import { countShown } from "./find-tasks.ts";
import type { Ledger } from "./ledger.ts";
import { markTold } from "./notes.ts";
import { openReviewSlots, type ReviewRoom, type ReviewSlots } from "./reviews/review-room.ts";
import { settle } from "./settle.ts";
import type { StepFacts } from "./step-facts.ts";

/** A pure change of a ledger. Null: there is no such feature. A step that changes nothing returns its argument. */
export type LedgerStep = (ledger: Ledger | null, facts: StepFacts) => Ledger | null;

/**
 * The ledger after a step, with the effects that the step requires: budget note → step → decisions → settle →
 * effects. Every step of every ledger goes through here. It settles before the step too, so that the step decides on what the budget note
 * made possible. Returns `before` itself when nothing changes. Pure.
 */
export function applyStep(before: Ledger | null, step: LedgerStep, facts: StepFacts): Ledger | null {
  const slots = openReviewSlots(facts.reviews);
  const noted = before && settle(noteBudget(before, facts.usedUp), before, slots);
  const changed = step(noted, facts);
  if (changed === null) return before;
  const tended = tendFeature(noted, noteBudget(changed, facts.usedUp), facts);
  const settled = tendTasks(noted, settle(tended, noted ?? { ...changed, tasks: [] }, slots), facts);
  const after = markTold(before, noteReviews(settled, facts.reviews, slots));
  if (after === before) return before;
  return { ...after, pending: [...after.pending, ...effectsBetween(before, after, facts.version)] };
}

/** The ledger with the budget that is used up, or null; the same ledger when that is known already. */
function noteBudget(ledger: Ledger, usedUp: UsedUp | null): Ledger {
  const { outOfBudget } = ledger;
  if (outOfBudget?.why === usedUp?.why && outOfBudget?.level === usedUp?.level) return ledger;
  return { ...ledger, outOfBudget: usedUp };
}

/** The ledger with why tasks of it wait for reviews, or null. What waits and was not looked at goes on waiting. */
function noteReviews(ledger: Ledger, reviews: ReviewRoom | null, slots: ReviewSlots): Ledger {
  const before = ledger.outOfReviews;
  const waits = countShown(ledger, ["ready"]) > 0 && (slots.refused() || !slots.hasRoom());
  const now = reviews === null || !waits ? null : slots.refused() ? reviews.why : before;
  return now === before ? ledger : { ...ledger, outOfReviews: now };
}
