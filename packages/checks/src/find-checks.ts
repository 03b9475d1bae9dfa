import { createHash } from "node:crypto";
import { z } from "zod";
import {
  checkSchema,
  Fault,
  targetSettingsSchema,
  type Check,
  type TargetSettings,
} from "@agentswarm/contracts";

export interface FoundChecks {
  readonly settings: TargetSettings;
  readonly found: "swarm.json" | "package.json" | "nothing";
}

export type ReadFile = (path: string) => Promise<string | null>;

/** npm scripts that are checks, in the order in which they are run. */
const GATE_SCRIPTS = ["typecheck", "types", "type-check", "lint", "test"];
const SWEEP_SCRIPTS = ["build"];
const NPM_PLACEHOLDER = "no test specified";

const manifestSchema = z.object({ scripts: z.record(z.string(), z.string()).default({}) });

/**
 * The target's checks: from its swarm.json, else from the scripts of its package.json; none when it has neither.
 * Throws Fault `target.invalid` naming what is wrong in either file.
 */
export async function findChecks(readFile: ReadFile): Promise<FoundChecks> {
  const own = await readFile("swarm.json");
  if (own !== null) {
    const parsed = targetSettingsSchema.safeParse(parseJson("swarm.json", own));
    if (!parsed.success) throw new Fault("target.invalid", `swarm.json: ${z.prettifyError(parsed.error)}`);
    return { settings: parsed.data, found: "swarm.json" };
  }
  const manifest = await readFile("package.json");
  if (manifest === null) return { settings: settingsOf([], []), found: "nothing" };
  const parsed = manifestSchema.safeParse(parseJson("package.json", manifest));
  if (!parsed.success) throw new Fault("target.invalid", `package.json: ${z.prettifyError(parsed.error)}`);
  const { scripts } = parsed.data;
  const has = (name: string) => scripts[name] !== undefined && !scripts[name].includes(NPM_PLACEHOLDER);
  const check = (name: string) => checkSchema.parse({ name, command: `npm run --silent ${name}` });
  return {
    settings: settingsOf(GATE_SCRIPTS.filter(has).map(check), SWEEP_SCRIPTS.filter(has).map(check)),
    found: "package.json",
  };
}

function settingsOf(gate: Check[], sweep: Check[]): TargetSettings {
  return targetSettingsSchema.parse({ checks: { gate, sweep } });
}

function parseJson(name: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Fault("target.invalid", `${name} is no JSON: ${(error as Error).message}`);
  }
}

/** What a result is keyed by, together with the tree: the list of checks as it was run. */
export function hashOf(checks: readonly Check[]): string {
  const list = checks.map(({ name, command, timeoutMs }) => [name, command, timeoutMs]);
  return createHash("sha256").update(JSON.stringify(list)).digest("hex").slice(0, 16);
}
