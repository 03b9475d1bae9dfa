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
