import { execFileSync } from "node:child_process";
import { join } from "node:path";
import type { PersonRole } from "@agentswarm/contracts";
import { openKeyRing, type KeyRing } from "../src/auth/key-ring.ts";
import { addKey } from "../src/auth/keys.ts";

type Environment = Readonly<Record<string, string>>;

/** The keys of an api with these settings, in this process: a command takes a second on a busy machine. */
export function keyRingOf({ API_KEYS_FILE, SWARM_HOME = "" }: Environment): KeyRing {
  return openKeyRing(API_KEYS_FILE ?? join(SWARM_HOME, "api-keys.json"));
}

/** A new key for an api with these settings. */
export async function makeKey(
  env: Environment,
  role: PersonRole = "submitter",
  { name, lifeMs }: { name?: string; lifeMs?: number } = {},
): Promise<string> {
  const made = await keyRingOf(env).change((keys, now) =>
    addKey(keys, { role, name, expiresAt: lifeMs === undefined ? null : now + lifeMs }, now),
  );
  return made.text;
}

/** Runs the keys command with an api's settings; returns its output. For tests of the command itself. */
export function keysCommand(env: Environment, ...args: string[]): string {
  const main = join(import.meta.dirname, "../src/keys-main.ts");
  return execFileSync(process.execPath, [main, ...args], {
    env: { ...process.env, ...env },
    encoding: "utf8",
  }).trim();
}
