import { z } from "zod";
import { budgetLevelSchema } from "../budget.ts";

/** US dollars, and prompt and completion tokens together. */
export const amountSchema = z.object({ usd: z.number(), tokens: z.int() });
export type Amount = z.infer<typeof amountSchema>;

/** What models have cost, by the `model.used` events. */
export const costSchema = amountSchema.extend({
  byRole: z.record(z.string(), amountSchema),
  byBackend: z.record(z.string(), amountSchema),
});
export type Cost = z.infer<typeof costSchema>;

/** A budget with what is spent of it. */
export const shownBudgetSchema = z.object({
  usd: z.number().nullable().describe("The cap in US dollars; null: none"),
  tokens: z.int().nullable().describe("The cap in tokens; null: none"),
  spent: amountSchema,
  reserved: amountSchema.describe("Set aside for model calls under way"),
  usedUp: z.string().nullable().describe("Why nothing is left; null while something is"),
  reached: z
    .object({ at: z.int(), level: budgetLevelSchema, why: z.string() })
    .nullable()
    .describe("When it was last found used up"),
});
export type ShownBudget = z.infer<typeof shownBudgetSchema>;
