import { z } from "zod";
import { LANDING_MODES } from "@agentswarm/contracts";

/** The repository that the swarm works on. */
export const targetSettings = {
  GIT_REPO_URL: z.string({ error: "name the repository to land on" }).min(1),
  TRUNK: z.string().optional().describe("The branch to land on; by default the one the origin's HEAD names"),
  SWARM_STORE_URL: z
    .string()
    .optional()
    .describe("Where attempts are kept, when services run on several machines"),
};

/** For the services that only read the origin. */
export const originReaderSettings = {
  GIT_READ_CREDENTIAL: z
    .string()
    .optional()
    .describe("For an origin over HTTP: user:password or a token that may read it"),
};

/** For the services that move refs of the origin: the merger (the trunk) and the reconciler (green). */
export const originWriterSettings = {
  GIT_WRITE_CREDENTIAL: z
    .string()
    .optional()
    .describe("For an origin over HTTP: user:password or a token that may push to it"),
};

/** For the merger, which holds landings, and for the planner, which sends nothing while too many are held. */
export const landingSettings = {
  LANDING: z
    .enum(LANDING_MODES)
    .default("trunk")
    .describe(
      "Which landings wait for a person, beside the protected ones: `trunk` none, `hold` all, `policy` those that `review` in the trunk's swarm.json names",
    ),
};

const targetSettingsSchema = z.object(targetSettings);
export type OriginSettings = z.infer<typeof targetSettingsSchema> & {
  readonly GIT_READ_CREDENTIAL?: string | undefined;
  readonly GIT_WRITE_CREDENTIAL?: string | undefined;
};
