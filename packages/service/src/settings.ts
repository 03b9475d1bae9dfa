import { resolve } from "node:path";
import { z } from "zod";

/** What every service needs. */
export const baseSettings = {
  SWARM_HOME: z
    .string()
    .default("./.swarm")
    .transform((path) => resolve(path)),
  LOG_LEVEL: z.enum(["trace", "debug", "info", "warn", "error", "fatal"]).default("info"),
  LOG_FORMAT: z.enum(["json", "pretty"]).optional().describe("pretty on a terminal, else json"),
  HEALTH_FILE: z.string().optional().describe("A file touched every 5 s while the service is well"),
  GRACE_MS: z.coerce.number().int().min(0).default(10_000).describe("Time to stop in after SIGTERM"),
};

const days = (kept: number) => z.coerce.number().min(0.01).max(100_000).default(kept);

/** For the services that open sandboxes with the target's history and dependencies. */
export const cacheSettings = {
  BUNDLE_DAYS: days(1).describe("Days until an unused bundle of the target's history is removed"),
  DEPENDENCY_DAYS: days(30).describe("Days until an unused set of the target's dependencies is removed"),
};
