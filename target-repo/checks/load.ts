import { glob } from "node:fs/promises";
import { join } from "node:path";
import type { Control, System } from "../src/core/system.ts";

const ROOT = join(import.meta.dirname, "..");

/** Everything that the files of a folder export under a name, with the file it came from. */
async function load<T>(folder: string, name: string): Promise<{ file: string; value: T }[]> {
  const files = (await Array.fromAsync(glob(`src/${folder}/*.ts`, { cwd: ROOT }))).sort();
  const found = [];
  for (const file of files.filter((path) => !path.endsWith(".test.ts"))) {
    const module = (await import(join(ROOT, file))) as Record<string, T>;
    found.push({ file: file.replaceAll("\\", "/"), value: module[name] });
  }
  return found;
}

export const loadSystems = () => load<System>("systems", "system");
export const loadControls = () => load<Control>("controls", "control");
