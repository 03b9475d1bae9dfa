import { z } from "zod";
import { clippedText } from "./bounded.ts";

/** What one or more model calls used. */
export const modelUsageSchema = z.object({
  tokensIn: z.int().min(0),
  tokensOut: z.int().min(0),
  tokensCached: z
    .int()
    .min(0)
    .default(0)
    .describe("The part of tokensIn served from the backend's prompt cache"),
  costUsd: z.number().min(0),
  estimated: z
    .boolean()
    .default(false)
    .describe("The backend reported no usage and the tokens were counted from the text"),
  backend: clippedText(200).optional().describe("Which backend answered; its prices were charged"),
});
