import { z } from "zod";
import { idSchema } from "../ids.ts";
import { repoIdSchema } from "../repo.ts";

const id = z.string().min(1).max(200).describe("Derived from what the event says, never random");
const ledgerVersion = z.int().min(0).optional().describe("Planner events only; orders them");

/** What an event is about, from wide to narrow. Each noun's events take the one that fits. */
const ABOUT = {
  swarm: { id },
  repo: { id, repoId: repoIdSchema },
  feature: { id, repoId: repoIdSchema, featureId: idSchema, ledgerVersion },
  task: { id, repoId: repoIdSchema, featureId: idSchema, taskId: idSchema, ledgerVersion },
  attempt: {
    id,
    repoId: repoIdSchema,
    featureId: idSchema,
    taskId: idSchema,
    attempt: z.int().min(1),
  },
  /** Whatever a model call or a budget belongs to. */
  spending: {
    id,
    repoId: repoIdSchema,
    featureId: idSchema.optional(),
    taskId: idSchema.optional(),
    attempt: z.int().min(1).optional(),
    ledgerVersion,
  },
} as const;

/** The schema of one event type: what it is about, and its data. */
export function eventSchema<T extends string, S extends keyof typeof ABOUT, D extends z.ZodType>(
  type: T,
  about: S,
  data: D,
) {
  return z.object({ type: z.literal(type), ...ABOUT[about], data });
}
