import { z } from "zod";
import { clippedText } from "./bounded.ts";

/** Caps in US dollars and in tokens (prompt and completion together). A cap that is not set does not exist. */
export const budgetSchema = z.strictObject({
  usd: z.number().positive().max(1_000_000).optional().describe("US dollars"),
  tokens: z.int().positive().optional().describe("Prompt and completion tokens together"),
});
export type Budget = z.infer<typeof budgetSchema>;

/** The level of a budget. A model call is charged to all levels at once; `task` bounds one attempt of a task. */
export const budgetLevelSchema = z.enum(["swarm", "feature", "task"]);
export type BudgetLevel = z.infer<typeof budgetLevelSchema>;

/** A budget that is used up; `why` names the setting to raise. */
export const usedUpSchema = z.object({ level: budgetLevelSchema, why: clippedText(1_000) });
export type UsedUp = z.infer<typeof usedUpSchema>;

/** The expected cost of a feature's plan, from the costs of landed tasks. */
export const forecastSchema = z.object({
  usd: z.number().min(0),
  tokens: z.int().min(0),
  tasks: z.int().min(0).describe("Tasks of the plan"),
  basedOn: z.int().min(1).describe("Number of landed tasks that the forecast is based on"),
  warning: clippedText(1_000).nullable().describe("Set when a budget had less left than the forecast"),
});
export type Forecast = z.infer<typeof forecastSchema>;

/** The most that one call to a model may use: its prompt and the longest answer that it allows. */
export interface CallEstimate {
  readonly costUsd: number;
  /** Prompt and completion tokens together. */
  readonly tokens: number;
}

/** The tokens that a call to a model used, and their cost. */
export interface CallUsage {
  readonly costUsd: number;
  readonly tokensIn: number;
  readonly tokensOut: number;
}

/** An estimate that was deducted from a budget before the call, or the budget that is used up. */
export type BudgetReservation =
  | {
      readonly kind: "granted";
      /**
       * Replaces the reserved estimate by the real usage. Call it once the call has ended, after a failure too.
       * Never throws; a second commit has no effect.
       */
      commitReservation(used: CallUsage): Promise<void>;
    }
  | ({ readonly kind: "exhausted" } & UsedUp);

/** The budgets that calls for one purpose are charged to. */
export interface BudgetHandle {
  /**
   * Reserves an estimate, or names the budget that is used up. Waits while other reservations hold all that is left,
   * and while Redis refuses writes. Throws when `signal` is aborted.
   */
  reserve(estimate: CallEstimate, signal?: AbortSignal): Promise<BudgetReservation>;
}
