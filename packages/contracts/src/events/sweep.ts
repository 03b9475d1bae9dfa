import { z } from "zod";
import { clippedText } from "../bounded.ts";
import { objectIdSchema } from "../ids.ts";
import { sweepSchema } from "../sweep.ts";
import { eventSchema } from "./about.ts";

export const sweepFinished = eventSchema("sweep.finished", "repo", sweepSchema);

/** `refs/heads/green` moved. */
export const trunkGreen = eventSchema("trunk.green", "repo", z.object({ commit: objectIdSchema }));

/** The trunk's history does not contain green any more: somebody forced the trunk to another commit. */
export const trunkRewritten = eventSchema(
  "trunk.rewritten",
  "repo",
  z.object({
    head: objectIdSchema,
    green: objectIdSchema.describe("Where refs/heads/green was"),
    why: clippedText(2_000).describe("What it means, and what a person may do"),
  }),
);
