import { z } from "zod";
import { redisSettings } from "@agentswarm/queue";
import { localSettings } from "../local/config.ts";

/** Settings of the demo in containers. */
export const demoSettings = z.object({
  SWARM_URL: z.string().default("http://127.0.0.1:8080"),
  SWARM_API_KEY: z.string().optional(),
});

/** Settings of the seed in containers. */
export const seedSettings = z.object({
  QUEUE_PREFIX: redisSettings.QUEUE_PREFIX,
  TARGET_REPO_PATH: localSettings.shape.TARGET_REPO_PATH,
  BROKER_TOKEN: z.string().min(16, "16 characters or more").optional(),
});

/** Settings of the backup in containers, whose Redis is another container. */
export const backupSettings = z.object({
  REDIS_URL: z.string().default("redis://redis:6379"),
  QUEUE_PREFIX: redisSettings.QUEUE_PREFIX,
});
export type BackupSettings = z.infer<typeof backupSettings>;
