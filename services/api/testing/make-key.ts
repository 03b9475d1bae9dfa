import { execFileSync } from "node:child_process";
import { join } from "node:path";

/** Runs the keys command with an api's settings; returns its output. */
export function keysCommand(env: Readonly<Record<string, string>>, ...args: string[]): string {
  const main = join(import.meta.dirname, "../src/keys-main.ts");
  return execFileSync(process.execPath, [main, ...args], {
    env: { ...process.env, ...env },
    encoding: "utf8",
  }).trim();
}
