import { z } from "zod";
import { DOOR } from "@agentswarm/contracts";
import { originReaderSettings, targetSettings } from "@agentswarm/git";
import { modelSettings } from "@agentswarm/llm";
import { budgetSettings, redisSettings } from "@agentswarm/queue";
import { sandboxSettings } from "@agentswarm/sandbox";
import { baseSettings, cacheSettings } from "@agentswarm/service";

/** Every setting of the dispatcher. */
export const settings = z.object({
  ...baseSettings,
  ...redisSettings,
  ...modelSettings,
  ...budgetSettings,
  ...targetSettings,
  ...originReaderSettings,
  ...sandboxSettings,
  MAX_WORKERS: z.coerce
    .number()
    .int()
    .min(1)
    .max(1_000)
    .default(4)
    .describe("Attempts at once, over all dispatchers"),
  WARM_POOL: z.coerce
    .number()
    .int()
    .min(0)
    .max(100)
    .optional()
    .describe(
      "Sandboxes kept open ahead with a loaded agent; 0: none. By default MAX_WORKERS, at most 4; none where an idle sandbox costs money",
    ),
  DOOR_MEMORY_BYTES: z.coerce
    .number()
    .int()
    .min(2 * DOOR.chatCompletions.body.maxBytes)
    .optional()
    .describe(
      "Bytes of requests of all sandboxes that are in memory at once; by default 16 MiB for each of MAX_WORKERS",
    ),
  WORKER_TIMEOUT: z.coerce.number().int().min(1).default(1_800).describe("Seconds one attempt may take"),
  QUESTION_WAIT: z.coerce
    .number()
    .min(0)
    .max(86_400)
    .default(120)
    .describe(
      "Seconds that an agent waits for the answer to its question; then its work is kept and its slot is free until there is one",
    ),
  ...cacheSettings,
  ATTEMPT_DAYS: z.coerce
    .number()
    .min(0.01)
    .max(100_000)
    .default(7)
    .describe("Days until the commits of an attempt that ended are removed from the store"),
  TRANSCRIPT_DAYS: z.coerce.number().min(1).default(30).describe("Days until a transcript is removed"),
  AGENT_FILE: z.string().optional().describe("The agent's one file; by default <SWARM_HOME>/agent/agent.mjs"),
  AGENT_RUNTIME: z
    .enum(["pi", "command"])
    .default("pi")
    .describe(
      "`pi`: the loop built into the agent's file; `command`: a coding agent of your own with a command line",
    ),
  AGENT_TEMPLATE: z
    .string()
    .default("opencode")
    .describe(
      "For AGENT_RUNTIME=command: the template that describes the program; a JSON or YAML file, or the name of a built-in one",
    ),
  AGENT_COMMAND_DIR: z
    .string()
    .optional()
    .describe("For AGENT_RUNTIME=command: the folder with the unpacked program"),
});
export type Settings = z.infer<typeof settings>;
