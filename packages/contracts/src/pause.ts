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

/** What is paused, in one word. Example: `landings/main`. */
export function nameOfPause(scope: PauseScope): string {
  switch (scope.kind) {
    case "swarm":
      return "swarm";
    case "landings":
      return `landings/${scope.repoId}`;
    case "feature":
      return `feature/${scope.featureId}`;
  }
}

/** For people: what is paused, by whom, why, and the command that ends it. */
export function describePause(scope: PauseScope, { by, why }: Pick<Pause, "by" | "why">): string {
  const who = `paused by ${by}${why === "" ? "" : `: ${why}`}`;
  switch (scope.kind) {
    case "swarm":
      return `the swarm is ${who} (swarm resume)`;
    case "landings":
      return `landings on ${scope.repoId} are ${who} (swarm resume --landings)`;
    case "feature":
      return `${who} (swarm resume ${scope.featureId})`;
  }
}
