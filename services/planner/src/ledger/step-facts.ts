import type { UsedUp } from "@agentswarm/contracts";
import type { DecisionRules } from "./decisions/rules.ts";
import type { ReviewRoom } from "./reviews/review-room.ts";

/** What a step is applied with. */
export interface StepFacts {
  /** The budget that is used up now, or null. */
  readonly usedUp: UsedUp | null;
  /** How many more landings people may be asked about; null: there is no bound. */
  readonly reviews: ReviewRoom | null;
  /** Version of the ledger's head that the step makes, if it changes the head. */
  readonly version: number;
  /** When the ledger was read: milliseconds since 1970, Redis time. */
  readonly at: number;
  readonly rules: DecisionRules;
}
