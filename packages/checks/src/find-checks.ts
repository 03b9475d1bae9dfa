import { createHash } from "node:crypto";
import { z } from "zod";
import {
  checkSchema,
  Fault,
  targetSettingsSchema,
  type Check,
  type TargetSettings,
} from "@agentswarm/contracts";

/** `found` names the file that the checks are from. */
export interface FoundChecks {
  readonly settings: TargetSettings;
  readonly found: "swarm.json" | "package.json" | "nothing";
}

/** Reads a file of the target at one commit; null when there is none. */
export type ReadFile = (path: string) => Promise<string | null>;

/** Names of npm scripts that are checks, in the order of their runs. */
const GATE_SCRIPTS = ["typecheck", "types", "type-check", "lint", "test"];
const SWEEP_SCRIPTS = ["build"];
const NPM_PLACEHOLDER = "no test specified";

const manifestSchema = z.object({ scripts: z.record(z.string(), z.string()).default({}) });

/**
 * Reads the target's checks from its swarm.json, else from the scripts of its package.json; without either file there
 * are none. Throws Fault `target.invalid`, which names the file and the error.
 */
export async function findChecks(readFile: ReadFile): Promise<FoundChecks> {
  const ownSettings = await readFile("swarm.json");
  if (ownSettings !== null) {
    const parsed = targetSettingsSchema.safeParse(parseJson("swarm.json", ownSettings));
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
    throw new Fault("target.invalid", `${name} is not JSON: ${(error as Error).message}`);
  }
}

/** A digest of the list of checks. Results of checks are kept under the tree and this digest. */
export function hashOf(checks: readonly Check[]): string {
  const list = checks.map(({ name, command, timeoutMs }) => [name, command, timeoutMs]);
  return createHash("sha256").update(JSON.stringify(list)).digest("hex").slice(0, 16);
}
