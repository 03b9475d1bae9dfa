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
});
export type Settings = z.infer<typeof settings>;
