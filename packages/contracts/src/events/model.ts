import { z } from "zod";
import { clippedText } from "../bounded.ts";
import { modelUsageSchema } from "../model-usage.ts";
import { ROLES } from "../swarm-key.ts";
import { eventSchema } from "./about.ts";

/** One answered model call, at the prices of the backend and model that answered. */
export const modelUsed = eventSchema(
  "model.used",
  "spending",
  modelUsageSchema.extend({ role: z.enum(ROLES), model: clippedText(200) }),
);
