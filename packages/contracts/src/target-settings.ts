import { z } from "zod";
import { checkSchema, taskKindSchema } from "./task.ts";

const globs = z.array(z.string().min(1).max(500)).max(200).default([]);

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

/** Which landings a person looks at first where LANDING=policy, beside those that are held in every mode. */
const reviewSettingsSchema = z.strictObject({
  paths: globs.describe("Globs of paths whose changes are looked at"),
  lines: z.int().min(0).optional().describe("Attempts that change more lines are looked at"),
  files: z.int().min(0).optional().describe("Attempts that change more files are looked at"),
  kinds: z.array(taskKindSchema).default([]).describe("Attempts of these kinds of task are looked at"),
});
export type ReviewSettings = z.infer<typeof reviewSettingsSchema>;

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
  install: installSettingsSchema.default({ allow: [], scripts: [] }),
  protected: globs.describe("Globs of paths whose changes a person must approve, besides DEFAULT_PROTECTED"),
  unprotected: globs.describe("Globs taken out of the protected paths; swarm.json itself stays protected"),
  review: reviewSettingsSchema.default({ paths: [], kinds: [] }),
  secrets: z
    .strictObject({
      allow: globs.describe("Globs of files that may hold test keys; not searched for secrets"),
    })
    .default({ allow: [] }),
});
export type TargetSettings = z.infer<typeof targetSettingsSchema>;
