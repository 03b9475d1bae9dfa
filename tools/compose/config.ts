import { z } from "zod";

/** Settings of the demo in containers. */
export const demoSettings = z.object({
  SWARM_URL: z.string().default("http://127.0.0.1:8080"),
  SWARM_API_KEY: z.string().optional(),
});

/** Settings of the backup in containers, whose Redis is another container. */
export const backupSettings = z.object({ REDIS_URL: z.string().default("redis://redis:6379") });
