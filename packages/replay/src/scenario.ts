import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseAllDocuments, type Document } from "yaml";
import { z } from "zod";
import { Fault } from "@agentswarm/contracts";

const callSchema = z.strictObject({
  tool: z.string().min(1),
  args: z.record(z.string(), z.unknown()),
});

const stepSchema = z.strictObject({
  say: z.string().default(""),
  calls: z.array(callSchema).default([]),
});
export type ScenarioStep = z.infer<typeof stepSchema>;

const FAULT_KINDS = ["429", "500", "stall", "cut", "malformed", "partial-tool-call", "loop"] as const;

const faultInjectionSchema = z.strictObject({
  kind: z.enum(FAULT_KINDS),
  times: z
    .int()
    .min(1)
    .default(1)
    .describe("The number of requests that fail before the recorded answer comes"),
});
export type FaultInjection = z.infer<typeof faultInjectionSchema>;

function isPattern(text: string): boolean {
  try {
    return new RegExp(text, "s") instanceof RegExp;
  } catch {
    return false;
  }
}

const entrySchema = z
  .strictObject({
    key: z.string().regex(/^[^/\s]+\/[^/\s]+\/[^/\s]+$/, "is <feature slug>/<task key>/<role>"),
    match: z
      .string()
      .refine(isPattern, "is not a regular expression")
      .optional()
      .describe("A pattern that the last user message must match"),
    waitFor: z
      .array(z.string())
      .default([])
      .describe("Keys that must have asked before the first step is answered"),
    steps: z.array(stepSchema).optional(),
    answer: z.unknown().optional(),
    injectFault: faultInjectionSchema.optional(),
  })
  .refine((entry) => (entry.steps === undefined) !== (entry.answer === undefined), {
    error: "has either steps (a conversation with tools) or an answer (one JSON value)",
  });
export type ScenarioEntry = z.infer<typeof entrySchema>;

/** Reads every `*.yaml` of a folder in the order of names. Throws Fault `config.invalid` with the file and the entry. */
export async function readScenario(dir: string): Promise<ScenarioEntry[]> {
  const names = await readdir(dir).catch((cause: unknown) => {
    throw new Fault("config.invalid", `the scenario folder ${dir} cannot be read`, { cause });
  });
  const entries: ScenarioEntry[] = [];
  for (const name of names.filter((one) => one.endsWith(".yaml")).toSorted()) {
    entries.push(...parseScenario(name, await readFile(join(dir, name), "utf8")));
  }
  return entries;
}

/** Parses one scenario file: a list of entries, in one or more YAML documents. */
export function parseScenario(name: string, text: string): ScenarioEntry[] {
  const found: ScenarioEntry[] = [];
  for (const document of parseAllDocuments(text)) {
    const [error] = document.errors;
    if (error !== undefined) throw new Fault("config.invalid", `${name}: ${error.message}`);
    const list = valueOf(name, document);
    if (!Array.isArray(list)) throw new Fault("config.invalid", `${name}: is not a list of entries`);
    for (const [at, item] of list.entries()) {
      const parsed = entrySchema.safeParse(item);
      if (!parsed.success) {
        const key = (item as { key?: string } | null)?.key ?? `entry ${at + 1}`;
        throw new Fault("config.invalid", `${name}, ${key}: ${z.prettifyError(parsed.error)}`);
      }
      found.push(parsed.data);
    }
  }
  return found;
}

function valueOf(name: string, document: Document): unknown {
  try {
    return document.toJS();
  } catch (cause) {
    // For example an alias without an anchor.
    throw new Fault("config.invalid", `${name}: ${String(cause)}`, { cause });
  }
}
