import { z } from "zod";
import { originReaderSettings } from "@agentswarm/git";
import { modelSettings } from "@agentswarm/llm";
import { budgetSettings, redisSettings } from "@agentswarm/queue";
import { baseSettings } from "@agentswarm/service";

/**
 * Settings that the local supervisor reads itself. The services read theirs from the same environment, so a URL is
 * checked there.
 */
export const localSettings = z.object({
  SWARM_HOME: baseSettings.SWARM_HOME,
  QUEUE_PREFIX: redisSettings.QUEUE_PREFIX,
  REDIS_URL: z.string().optional().describe("By default a Redis server is started under SWARM_HOME"),
  SWARM_REDIS_SERVER: z.string().default("redis-server").describe("The program to start as Redis server"),
  GIT_REPO_URL: z.string().optional().describe("By default SWARM_HOME/origin.git"),
  TARGET_REPO_PATH: z.string().default("./target-repo").describe("Seeds SWARM_HOME/origin.git"),
  ...originReaderSettings,
  RECORDED_TARGET: modelSettings.RECORDED_TARGET,
  BUDGET_USD: budgetSettings.BUDGET_USD,
  FEATURE_BUDGET_USD: budgetSettings.FEATURE_BUDGET_USD,
  API_PORT: z.string().default("8080"),
});
