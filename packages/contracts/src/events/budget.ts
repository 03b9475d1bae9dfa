import { usedUpSchema } from "../budget.ts";
import { eventSchema } from "./about.ts";

/** A model call was refused for want of budget, or a feature began to wait for one. */
export const budgetReached = eventSchema("budget.reached", "spending", usedUpSchema);
