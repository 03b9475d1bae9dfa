import { z } from "zod";

/** The repository that the swarm works on. */
export const targetSettings = {
  GIT_REPO_URL: z.string({ error: "name the repository to land on" }).min(1),
  TRUNK: z.string().optional().describe("The branch to land on; by default the one the origin's HEAD names"),
  SWARM_STORE_URL: z
    .string()
    .optional()
    .describe("Where attempts are kept, when services run on several machines"),
};
const targetSettingsSchema = z.object(targetSettings);
export type OriginSettings = z.infer<typeof targetSettingsSchema>;
