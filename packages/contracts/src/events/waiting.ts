import { z } from "zod";
import { clippedText } from "../bounded.ts";
import { eventSchema } from "./about.ts";

const data = z.object({
  reason: clippedText(2_000).nullable().describe("What is wrong, and its fix; null when it goes on"),
});

/** A task met the same fault twice and waits, or goes on. */
export const taskWaiting = eventSchema("task.waiting", "task", data);

/** The planning of a feature met the same fault twice and waits, or goes on. */
export const featureWaiting = eventSchema("feature.waiting", "feature", data);

/** The sweeps of a trunk met the same fault twice and wait, or go on. */
export const trunkWaiting = eventSchema("trunk.waiting", "repo", data);
