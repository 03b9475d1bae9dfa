import { statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { z } from "zod";
import { agentTemplateSchema, Fault, type AgentRuntime, type AgentTemplate } from "@agentswarm/contracts";
import type { Mount } from "@agentswarm/sandbox";
import { hashFolder } from "./hash-folder.ts";

export interface RuntimeSettings {
  readonly AGENT_RUNTIME: "pi" | "command";
  readonly AGENT_TEMPLATE: string;
  readonly AGENT_COMMAND_DIR?: string | undefined;
}

/** The runtime of the agents, and the mounts that it needs. */
export interface ChosenRuntime {
  readonly runtime: AgentRuntime;
  readonly mounts: readonly Mount[];
}

/** The templates of this repository. */
const BUILT_IN = fileURLToPath(new URL("../../agents", import.meta.url));
/** Where AGENT_COMMAND_DIR is seen in the sandbox; the runner looks for it there. */
const AGENT_DIR_AT = ".agent";

/** Reads the runtime that the settings choose. Throws Fault `config.invalid` that names the setting. */
export async function readRuntime(settings: RuntimeSettings): Promise<ChosenRuntime> {
  if (settings.AGENT_RUNTIME === "pi") return { runtime: { kind: "pi" }, mounts: [] };
  const template = await readTemplate(settings.AGENT_TEMPLATE);
  const dir = settings.AGENT_COMMAND_DIR;
  const runtime: AgentRuntime = { kind: "command", template };
  if (dir === undefined) {
    if (template.argv[0]?.includes("{{agentDir}}")) {
      throw invalid(`AGENT_COMMAND_DIR: the template ${template.name} needs a folder with its program`);
    }
    return { runtime, mounts: [] };
  }
  if (!isFolder(dir)) throw invalid(`AGENT_COMMAND_DIR: ${dir} is not a folder`);
  const from = resolve(dir);
  return { runtime, mounts: [{ from, at: AGENT_DIR_AT, key: `agent-${await hashFolder(from)}` }] };
}

async function readTemplate(named: string): Promise<AgentTemplate> {
  const file = /^[a-z0-9-]+$/.test(named) ? join(BUILT_IN, `${named}.yaml`) : resolve(named);
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    throw new Fault("config.invalid", `AGENT_TEMPLATE: ${named} cannot be read`, { cause });
  });
  const parsed = agentTemplateSchema.safeParse(parseYaml(named, text));
  if (!parsed.success) throw invalid(`AGENT_TEMPLATE: ${named}: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

/** Parses YAML, and so JSON too. */
function parseYaml(named: string, text: string): unknown {
  try {
    return parse(text);
  } catch (cause) {
    throw new Fault("config.invalid", `AGENT_TEMPLATE: ${named}: ${String(cause)}`, { cause });
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function invalid(message: string): Fault {
  return new Fault("config.invalid", message);
}
