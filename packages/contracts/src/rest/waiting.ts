import { z } from "zod";

/** Why something does not go on, from the second identical fault until it goes on. */
export const waitingSchema = z.object({
  reason: z.string().describe("What is wrong, and the setting or command that fixes it"),
  source: z
    .enum(["machine", "operator", "origin", "provider", "model", "agent", "bug"])
    .describe("Who can end it: an operator, or nobody needs to"),
  service: z.string().describe("The service that retries"),
  since: z.int().describe("Redis time of the first of these faults, milliseconds since 1970"),
});
export type Waiting = z.infer<typeof waitingSchema>;
