import { z } from "zod";
import { landingSettings, MERGE_STRATEGIES, originWriterSettings, targetSettings } from "@agentswarm/git";
import { redisSettings } from "@agentswarm/queue";
import { sandboxSettings } from "@agentswarm/sandbox";
import { baseSettings, cacheSettings } from "@agentswarm/service";

/** Every setting of the merger. */
export const settings = z.object({
  ...baseSettings,
  ...redisSettings,
  ...targetSettings,
  ...originWriterSettings,
  ...sandboxSettings,
  ...cacheSettings,
  ...landingSettings,
  MERGE_STRATEGY: z.enum(MERGE_STRATEGIES).default("fast-forward"),
  LANDING_GATE: z
    .enum(["on", "off"])
    .default("on")
    .describe("Run the target's gate checks before publishing"),
  NUDGE_AFTER: z.coerce
    .number()
    .int()
    .min(1)
    .default(5)
    .describe("Landings after which a sweep is requested"),
  REPACK_AFTER: z.coerce
    .number()
    .int()
    .min(1)
    .default(50)
    .describe("Published batches after which the repository is repacked, in the background"),
});
export type Settings = z.infer<typeof settings>;
