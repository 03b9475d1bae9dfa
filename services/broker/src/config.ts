import { z } from "zod";
import { baseSettings } from "@agentswarm/service";

const GIB = 1024 ** 3;
const { LOG_LEVEL, LOG_FORMAT, HEALTH_FILE, GRACE_MS } = baseSettings;
const most = (value: number) => z.coerce.number().positive().default(value);

/** Every setting of the broker. */
export const settings = z.object({
  LOG_LEVEL,
  LOG_FORMAT,
  HEALTH_FILE,
  GRACE_MS,
  BROKER_LISTEN: z
    .string()
    .default("127.0.0.1:7070")
    .describe("host:port, or the path of a unix socket; clients name it by BROKER_URL"),
  BROKER_TOKEN: z
    .string({ error: "make one: openssl rand -hex 32" })
    .min(16, "16 characters or more")
    .describe("What clients must have to be served"),
  BROKER_NAME: z
    .string()
    .regex(/^[a-z0-9-]{1,40}$/)
    .default("default")
    .describe("Tells brokers on the same engine apart"),
  SANDBOX_IMAGE: z
    .string()
    .default("agentswarm-sandbox")
    .describe("The one image that sandboxes are made of"),
  SANDBOX_WORK_BYTES: most(2 * GIB).describe("Room in each sandbox's work folder, which is memory"),
  BROKER_MAX_SANDBOXES: most(128).describe("Sandboxes at once"),
  BROKER_MAX_MEMORY_BYTES: most(4 * GIB).describe("The most that one sandbox may ask for"),
  BROKER_MAX_PIDS: most(512).describe("The most processes that one sandbox may ask for"),
  BROKER_MAX_CPUS: most(2).describe("The most cores that one sandbox may ask for"),
  BROKER_MAX_WALL_MS: most(7_200_000).describe("The longest that one sandbox may live"),
  BROKER_MAX_CONTENT_BYTES: most(8 * GIB).describe("The most that is carried in at once"),
});
export type Settings = z.infer<typeof settings>;
