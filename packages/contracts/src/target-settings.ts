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

const packageNamesSchema = z
  .array(z.string().regex(/^(?:@[\w.~-]+\/)?[\w.~-]+$/, "the name of a package, without a version"))
  .max(1_000)
  .default([]);

/** Which packages need no person. Only the trunk's swarm.json counts, never an attempt's. */
const installSettingsSchema = z.strictObject({
  allow: packageNamesSchema.describe("Packages that an attempt may add or change without approval"),
  scripts: packageNamesSchema.describe(
    "Packages whose install scripts run, in the sandbox of the installation",
  ),
});

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
  install: installSettingsSchema.default({ allow: [], scripts: [] }),
});
export type TargetSettings = z.infer<typeof targetSettingsSchema>;
