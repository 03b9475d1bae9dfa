import { z } from "zod";
import { checkSchema } from "./task.ts";

/** Paths whose changes a person must approve, in any folder, unless the target's swarm.json lists its own. */
export const DEFAULT_PROTECTED: readonly string[] = [
  "swarm.json",
  ".github/**",
  ".gitmodules",
  "AGENTS.md",
  "package-lock.json",
  "npm-shrinkwrap.json",
  "yarn.lock",
  "pnpm-lock.yaml",
];

const checkEntrySchema = z.union([
  z
    .string()
    .min(1)
    .transform((command) => checkSchema.parse({ name: command.slice(0, 100), command })),
  checkSchema,
]);

/** `swarm.json` in the target. */
export const targetSettingsSchema = z.strictObject({
  $schema: z.string().optional(),
  checks: z.strictObject({
    gate: z.array(checkEntrySchema).max(20).describe("Fast; run before publishing"),
    sweep: z
      .array(checkEntrySchema)
      .max(20)
      .default([])
      .describe("Slow checks, run by sweeps together with those of the gate"),
  }),
  protected: z
    .array(z.string())
    .max(200)
    .default([...DEFAULT_PROTECTED]),
});
export type TargetSettings = z.infer<typeof targetSettingsSchema>;
