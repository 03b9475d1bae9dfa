import { z } from "zod";

export const PROBLEM_TYPE = "application/problem+json";

/** Every answer that is not a success, by RFC 9457. */
export const problemSchema = z.object({
  type: z.string().describe("urn:agentswarm:<kind>"),
  title: z.string().describe("The kind in words"),
  status: z.int().min(400).max(599),
  detail: z.string().describe("What was wrong with this request"),
  errors: z
    .array(z.object({ field: z.string(), message: z.string() }))
    .optional()
    .describe("The fields that do not fit, for invalid requests"),
  instance: z.string().describe("The path that was asked"),
});
export type ProblemDetails = z.infer<typeof problemSchema>;
