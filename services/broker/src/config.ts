import { z } from "zod";
import { baseSettings } from "@agentswarm/service";

const GIB = 1024 ** 3;
const { LOG_LEVEL, LOG_FORMAT, HEALTH_FILE, GRACE_MS } = baseSettings;
const maximum = (value: number) => z.coerce.number().positive().default(value);

/** Every setting of the broker. */
export const settings = z.object({
  LOG_LEVEL,
  LOG_FORMAT,
  HEALTH_FILE,
  GRACE_MS,
  BROKER_LISTEN: z
    .string()
    .default("127.0.0.1:7070")
    .describe("host:port, or the path of a unix socket; clients set it as BROKER_URL"),
  BROKER_TOKEN: z
    .string({ error: "make one: openssl rand -hex 32" })
    .min(16, "16 characters or more")
    .refine((token) => token !== "recorded-answers-only", "this default was published: openssl rand -hex 32")
    .describe("The token that clients must send"),
  BROKER_NAME: z
    .string()
    .regex(/^[a-z0-9-]{1,40}$/)
    .default("default")
    .describe("Distinguishes brokers on one engine"),
  SANDBOX_IMAGE: z.string().default("agentswarm-sandbox").describe("The image of every sandbox"),
  SANDBOX_WORK_BYTES: maximum(2 * GIB).describe("Size limit of each sandbox's work folder, which is memory"),
  BROKER_MAX_SANDBOXES: maximum(128).describe("Sandboxes at once"),
  BROKER_MAX_MEMORY_BYTES: maximum(4 * GIB).describe("Highest memory limit of one sandbox"),
  BROKER_MAX_PIDS: maximum(512).describe("Highest limit of processes of one sandbox"),
  BROKER_MAX_CPUS: maximum(2).describe("Highest limit of cores of one sandbox"),
  BROKER_MAX_WALL_MS: maximum(7_200_000).describe("Highest wall time of one sandbox"),
  BROKER_MAX_CONTENT_BYTES: maximum(8 * GIB).describe("Largest upload"),
});
export type Settings = z.infer<typeof settings>;
