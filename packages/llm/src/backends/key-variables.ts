import { presetKeyVariables } from "./resolve-backends.ts";
import { readEntries } from "./read-entries.ts";

/** The variables that hold the keys of LLM_BACKENDS; none when it is not set or cannot be read, which services report. */
export function keyVariables(setting: string | undefined): string[] {
  if (setting === undefined || setting.trim() === "") return [];
  try {
    return readEntries(setting).flatMap((entry) => entry.keyVar ?? presetKeyVariables(entry.kind));
  } catch {
    return [];
  }
}
