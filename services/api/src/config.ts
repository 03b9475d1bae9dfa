import { z } from "zod";
import { budgetSettings, redisSettings } from "@agentswarm/queue";
import { baseSettings } from "@agentswarm/service";

/** Every setting of the api. */
export const settings = z.object({
  ...baseSettings,
  ...redisSettings,
  ...budgetSettings,
  API_PORT: z.coerce.number().int().min(0).max(65_535).default(8_080),
  API_HOST: z.string().default("127.0.0.1").describe("The address to listen on; in a container 0.0.0.0"),
  API_PUBLISHED_ON: z
    .string()
    .default("127.0.0.1")
    .describe(
      "The address under which the port is reached from outside; keys are demanded unless it is loopback",
    ),
  API_BEHIND: z
    .enum(["container"])
    .optional()
    .describe(
      "container: API_HOST is an address inside a container, whose port is published on API_PUBLISHED_ON",
    ),
  API_HOSTS: z
    .string()
    .default("")
    .transform((text) => text.split(",").flatMap((name) => name.trim() || []))
    .describe("Host names besides those of loopback that are accepted without keys, separated by commas"),
  API_KEYS_FILE: z.string().optional().describe("By default <SWARM_HOME>/api-keys.json"),
  EVENT_ARCHIVE_DAYS: z.coerce
    .number()
    .min(1)
    .max(100_000)
    .default(365)
    .describe("Days until a file of the event archive is removed"),
  EVENT_ARCHIVE_MB: z.coerce
    .number()
    .min(1)
    .max(100_000_000)
    .default(10_000)
    .describe("Megabytes of the event archive; beyond it the oldest days are removed, but never today"),
  VIEW_DAYS: z.coerce
    .number()
    .min(1)
    .max(100_000)
    .default(365)
    .describe("Days after its end until a feature is not shown any more, nor its tasks"),
  MAX_QUEUE_DEPTH: z.coerce
    .number()
    .int()
    .min(1)
    .default(10_000)
    .describe("Waiting plans above which 503 is answered"),
});
export type Settings = z.infer<typeof settings>;
