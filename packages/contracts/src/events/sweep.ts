import { z } from "zod";
import { objectIdSchema } from "../ids.ts";
import { sweepSchema } from "../sweep.ts";
import { eventSchema } from "./about.ts";

export const sweepFinished = eventSchema("sweep.finished", "repo", sweepSchema);

/** `refs/heads/green` moved. */
export const trunkGreen = eventSchema("trunk.green", "repo", z.object({ commit: objectIdSchema }));
