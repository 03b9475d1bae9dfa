import { z } from "zod";
import { originReaderSettings, originWriterSettings } from "@agentswarm/git";
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
});
export type DoctorSettings = z.infer<typeof doctorSettings>;
