import { z } from "zod";

/** One sign of life of an agent. */
export const progressSchema = z.object({
  turn: z.int().min(0),
  tool: z.string().max(100).optional(),
  text: z.string().max(500).optional(),
});
export type Progress = z.infer<typeof progressSchema>;
