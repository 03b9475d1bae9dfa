import { z } from "zod";
import { landingSettings, originReaderSettings, targetSettings } from "@agentswarm/git";
import { modelSettings } from "@agentswarm/llm";
import { budgetSettings, redisSettings } from "@agentswarm/queue";
import { baseSettings } from "@agentswarm/service";
import type { DecisionRules } from "./ledger/decisions/rules.ts";

/** Every setting of the planner. */
export const settings = z.object({
  ...baseSettings,
  ...redisSettings,
  ...modelSettings,
  ...budgetSettings,
  ...targetSettings,
  ...originReaderSettings,
  ...landingSettings,
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
  DECISION_WAIT: z.coerce
    .number()
    .int()
    .min(0)
    .max(100_000_000)
    .default(259_200)
    .describe("Seconds until a question to people is due; 0: it waits without an end"),
  DECISION_TIMEOUT: z
    .enum(["hold", "refuse"])
    .default("hold")
    .describe("What happens to a landing or a plan that nobody decided about in time"),
  REVIEW_APPROVALS: z.coerce
    .number()
    .int()
    .min(1)
    .max(5)
    .default(1)
    .describe("Persons who must approve a held landing"),
  OPEN_REVIEWS: z.coerce
    .number()
    .int()
    .min(0)
    .max(100_000)
    .default(20)
    .describe(
      "Landings that wait for people, or are on their way to them, before further tasks are held back; 0: no bound",
    ),
  FOUR_EYES: z
    .enum(["off", "on"])
    .default("off")
    .describe("on: who asked for a feature may not approve its landings and plans"),
  PLAN_APPROVAL_FROM_TASKS: z.coerce
    .number()
    .int()
    .min(0)
    .max(1_000)
    .default(0)
    .describe("Plans of so many tasks and more wait for an approval; 0: none does, 1: every plan"),
  DECIDE_BUDGETS: z
    .enum(["on", "off"])
    .default("on")
    .describe("Whether people are asked when a feature's budget is used up"),
  AUDIT_INTERVAL: z.coerce.number().int().min(1).default(10).describe("Seconds between two audits"),
});
export type Settings = z.infer<typeof settings>;

/** How people are asked, by the settings. */
export function decisionRules(set: Settings): DecisionRules {
  return {
    waitMs: set.DECISION_WAIT === 0 ? null : set.DECISION_WAIT * 1_000,
    onTimeout: set.DECISION_TIMEOUT,
    approvals: set.REVIEW_APPROVALS,
    fourEyes: set.FOUR_EYES === "on",
    planFromTasks: set.PLAN_APPROVAL_FROM_TASKS,
    budgets: set.DECIDE_BUDGETS === "on",
  };
}
