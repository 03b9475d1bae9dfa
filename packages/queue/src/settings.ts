import { z } from "zod";

/** The Redis server that all services share. */
export const redisSettings = {
  REDIS_URL: z.url({ protocol: /^rediss?$/ }).default("redis://127.0.0.1:6379"),
  QUEUE_PREFIX: z
    .string()
    .regex(/^[a-z0-9-]{1,40}$/, "lower-case letters, digits and dashes only")
    .default("swarm"),
};
const redisSettingsSchema = z.object(redisSettings);
export type RedisSettings = z.infer<typeof redisSettingsSchema>;

const usd = z.coerce.number().positive().optional();
const tokens = z.coerce.number().int().positive().optional();

/** Caps on model costs; a cap that is not set is none. All services that call a model or show costs need the same. */
export const budgetSettings = {
  BUDGET_USD: usd.describe("US dollars that the whole swarm may spend on models"),
  BUDGET_TOKENS: tokens.describe("Tokens that the whole swarm may use"),
  FEATURE_BUDGET_USD: usd.describe(
    "US dollars that one feature may spend, unless its submission sets a budget",
  ),
  FEATURE_BUDGET_TOKENS: tokens.describe(
    "Tokens that one feature may use, unless its submission sets a budget",
  ),
};
const budgetSettingsSchema = z.object(budgetSettings).partial();
export type BudgetCaps = z.infer<typeof budgetSettingsSchema>;
