import { z } from "zod";
import { originReaderSettings, originWriterSettings } from "@agentswarm/git";
import { sandboxSettings } from "@agentswarm/sandbox";
import { localSettings } from "../local/config.ts";

const { SWARM_HOME, REDIS_URL, SWARM_REDIS_SERVER, GIT_REPO_URL, TARGET_REPO_PATH } = localSettings.shape;

/** Settings that the doctor looks at. None is refused here: an invalid one becomes a finding. */
export const doctorSettings = z.object({
  SWARM_HOME,
  REDIS_URL,
  SWARM_REDIS_SERVER,
  GIT_REPO_URL,
  TARGET_REPO_PATH,
  TRUNK: z.string().optional(),
  ...originReaderSettings,
  ...originWriterSettings,
  SANDBOX_PROVIDER: z.string().default("local"),
  SWARM_TOOLS: z.string().optional(),
  NODE_IMAGE: z
    .string()
    .default("node:24-bookworm-slim")
    .describe("For compose: what our images are built upon"),
  REDIS_IMAGE: z.string().default("redis:8-alpine").describe("For compose: the image of Redis"),
  MODAL_IMAGE: sandboxSettings.MODAL_IMAGE,
  API_BEHIND: z.string().optional().describe("Set in our image"),
});
export type DoctorSettings = z.infer<typeof doctorSettings>;
