import { readFileSync } from "node:fs";
import { z } from "zod";
import { Fault } from "@agentswarm/contracts";
import { backendEntrySchema, type BackendEntry } from "./backend.ts";

const listSchema = z.array(backendEntrySchema).min(1);

/** LLM_BACKENDS is the list itself or the path of a file with it. Throws Fault `config.invalid`. */
export function readEntries(setting: string): BackendEntry[] {
  const inline = setting.trimStart().startsWith("[");
  try {
    const parsed = listSchema.safeParse(JSON.parse(inline ? setting : readFileSync(setting, "utf8")));
    if (parsed.success) return parsed.data;
    throw new Error(z.prettifyError(parsed.error));
  } catch (cause) {
    throw new Fault("config.invalid", `LLM_BACKENDS: ${(cause as Error).message}`, { cause });
  }
}
