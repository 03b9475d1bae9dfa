import { z } from "zod";
import { originReaderSettings, targetSettings } from "@agentswarm/git";
import { modelSettings } from "@agentswarm/llm";
import { budgetSettings, redisSettings } from "@agentswarm/queue";
import { baseSettings } from "@agentswarm/service";

/** Every setting of the planner. */
export const settings = z.object({
  ...baseSettings,
  ...redisSettings,
  ...modelSettings,
  ...budgetSettings,
  ...targetSettings,
  ...originReaderSettings,
  WORKER_TIMEOUT: z.coerce.number().int().min(1).default(1_800).describe("Seconds one attempt may take"),
  ATTEMPT_BUDGET: z.coerce
    .number()
    .int()
    .min(1)
    .max(20)
    .default(3)
    .describe("Failed attempts that a task may have"),
  MAX_TASKS_PER_PLAN: z.coerce
    .number()
    .int()
    .min(1)
    .max(1_000)
    .default(60)
    .describe("Tasks that one plan may have"),
  SURVEY_TOKENS: z.coerce
    .number()
    .int()
    .min(100)
    .default(12_000)
    .describe("Size of the survey of the target in prompts"),
  PLANS_AT_ONCE: z.coerce
    .number()
    .int()
    .min(1)
    .max(100)
    .default(8)
    .describe("Features that are planned at the same time"),
  LEDGER_DAYS: z.coerce
    .number()
    .min(0.01)
    .max(100_000)
    .default(365)
    .describe("Days until the plan, the tasks and the budget of a feature that ended are removed"),
  AUDIT_INTERVAL: z.coerce.number().int().min(1).default(10).describe("Seconds between two audits"),
});
export type Settings = z.infer<typeof settings>;
