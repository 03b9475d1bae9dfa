import { z } from "zod";
import { originWriterSettings, targetSettings } from "@agentswarm/git";
import { modelSettings } from "@agentswarm/llm";
import { budgetSettings, redisSettings } from "@agentswarm/queue";
import { sandboxSettings } from "@agentswarm/sandbox";
import { baseSettings, cacheSettings } from "@agentswarm/service";

/** Every setting of the reconciler. */
export const settings = z.object({
  ...baseSettings,
  ...redisSettings,
  ...modelSettings,
  ...budgetSettings,
  ...targetSettings,
  ...originWriterSettings,
  ...sandboxSettings,
  ...cacheSettings,
  RECONCILE_INTERVAL: z.coerce
    .number()
    .int()
    .min(1)
    .default(300)
    .describe("Seconds between two sweeps by the timer"),
  RED_TRUNK: z
    .enum(["hold", "work"])
    .default("hold")
    .describe(
      "A trunk whose own checks fail before the swarm has changed anything: hold its tasks, or work on it",
    ),
});
export type Settings = z.infer<typeof settings>;
