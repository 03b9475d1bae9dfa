import { z } from "zod";
import { baseSettings, type Environment } from "@agentswarm/service";

/**
 * Settings that the local supervisor reads itself. The services read theirs from the same environment, so a URL is
 * checked there.
 */
export const localSettings = z.object({
  SWARM_HOME: baseSettings.SWARM_HOME,
  REDIS_URL: z.string().optional().describe("By default a Redis server is started under SWARM_HOME"),
  SWARM_REDIS_SERVER: z.string().default("redis-server").describe("The program to start as Redis server"),
  GIT_REPO_URL: z.string().optional().describe("By default SWARM_HOME/origin.git"),
  TARGET_REPO_PATH: z.string().default("./target-repo").describe("Seeds SWARM_HOME/origin.git"),
  API_PORT: z.string().default("8080"),
});

const MODELS = ["LLM_BACKENDS", "LLM_BASE_URL", "RUNPOD_ENDPOINT_ID", "MODAL_GLM_URL"];

/** Whether the environment configures a model; without one the swarm plays recorded answers. */
export function configuresModel(env: Environment): boolean {
  return MODELS.some((name) => env[name]);
}
