import { z } from "zod";
import {
  baseSettings,
  budgetSettings,
  modelSettings,
  sandboxSettings,
  targetSettings,
} from "@agentswarm/service";

/** Every setting of the dispatcher. */
export const settings = z.object({
  ...baseSettings,
  ...modelSettings,
  ...budgetSettings,
  ...targetSettings,
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
      "Sandboxes kept open ahead with a loaded agent; by default MAX_WORKERS, but 4 at most; 0: none",
    ),
  WORKER_TIMEOUT: z.coerce.number().int().min(1).default(1_800).describe("Seconds one attempt may take"),
  AGENT_FILE: z.string().optional().describe("The agent's one file; by default <SWARM_HOME>/agent/agent.mjs"),
});
export type Settings = z.infer<typeof settings>;
