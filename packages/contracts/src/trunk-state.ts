import { z } from "zod";
import { clippedText } from "./bounded.ts";
import { objectIdSchema } from "./ids.ts";

/** What the newest sweep of a trunk says to those who work on it. */
export const trunkStateSchema = z.object({
  head: objectIdSchema.describe("The commit that was swept"),
  hold: clippedText(2_000)
    .nullable()
    .describe("Why no agent works on it: it was red before the swarm changed anything; else null"),
  unchecked: clippedText(2_000)
    .nullable()
    .describe("That nothing is checked, and how to change it; null when there are checks"),
});
export type TrunkState = z.infer<typeof trunkStateSchema>;
