import { z } from "zod";
import { clippedText } from "./bounded.ts";
import { idSchema } from "./ids.ts";
import { askedBy } from "./person.ts";
import { repoIdSchema } from "./repo.ts";

/**
 * What is paused. `swarm`: no task is begun and no model is asked; what runs goes on. `landings`: nothing is landed on a
 * repository's trunk. `feature`: no task of it is sent, and its plan is not made.
 */
export const pauseScopeSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("swarm") }),
  z.object({ kind: z.literal("landings"), repoId: repoIdSchema }),
  z.object({ kind: z.literal("feature"), featureId: idSchema }),
]);
export type PauseScope = z.infer<typeof pauseScopeSchema>;

export const pauseSchema = z.object({
  ...askedBy,
  why: clippedText(2_000),
  at: z.int().describe("Milliseconds since 1970, Redis time"),
});
export type Pause = z.infer<typeof pauseSchema>;
