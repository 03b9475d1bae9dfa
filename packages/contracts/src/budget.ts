import { z } from "zod";

/** What may be spent, in US dollars and in tokens (prompt and completion together); what is not set has no cap. */
export const budgetSchema = z.strictObject({
  usd: z.number().positive().max(1_000_000).optional().describe("US dollars"),
  tokens: z.int().positive().optional().describe("Prompt and completion tokens together"),
});
export type Budget = z.infer<typeof budgetSchema>;

/** Whose budget it is. A call to a model counts against all of them at once; `task` bounds one attempt of a task. */
export const budgetLevelSchema = z.enum(["swarm", "feature", "task"]);
export type BudgetLevel = z.infer<typeof budgetLevelSchema>;

/** A budget of which nothing is left; `why` names the setting that would have to be raised. */
export const usedUpSchema = z.object({ level: budgetLevelSchema, why: z.string() });
export type UsedUp = z.infer<typeof usedUpSchema>;

/** What a feature's plan will cost, by what landed tasks have cost so far. */
export const forecastSchema = z.object({
  usd: z.number().min(0),
  tokens: z.int().min(0),
  tasks: z.int().min(0).describe("Tasks of the plan"),
  basedOn: z.int().min(1).describe("Landed tasks whose costs were looked at"),
  warning: z.string().nullable().describe("Says so when less than that was left of a budget at that time"),
});
export type Forecast = z.infer<typeof forecastSchema>;
