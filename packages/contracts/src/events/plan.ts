import { z } from "zod";
import { clippedText } from "../bounded.ts";
import { eventSchema } from "./about.ts";

export const planMade = eventSchema(
  "plan.made",
  "feature",
  z.object({ revision: z.int().min(0), tasks: z.int().min(0).describe("Tasks of this revision") }),
);

/** A model's plan that code refused. */
export const planRejected = eventSchema(
  "plan.rejected",
  "feature",
  z.object({ reason: clippedText(10_000) }),
);
