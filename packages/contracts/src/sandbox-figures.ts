import { z } from "zod";

/** What a sandbox has taken so far; after its end, in all. */
export const sandboxFiguresSchema = z.object({
  readyMs: z.number().describe("From being asked for to being ready for a program"),
  cpuMs: z.number().nullable().describe("null where the provider cannot say"),
  memoryPeakBytes: z.number().nullable().describe("null where the provider cannot say"),
  bytesIn: z.number().describe("Through the streams of its programs"),
  bytesOut: z.number(),
  costUsd: z
    .number()
    .describe("The provider's charge, estimated from its price list; 0 for one's own machine"),
});
export type SandboxFigures = Readonly<z.infer<typeof sandboxFiguresSchema>>;
