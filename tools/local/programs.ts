import { fileURLToPath } from "node:url";
import { join } from "node:path";
import type { Program } from "./supervise.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const GUARD = join(ROOT, "tools/local/guard.mjs");
const PRELOAD = new URL("die-with-supervisor.mjs", import.meta.url).href;

export const SERVICES = ["planner", "dispatcher", "merger", "reconciler", "api"] as const;
export type ServiceName = (typeof SERVICES)[number];

type Env = Program["env"];
type Output = Program["output"];

/** Redis with infra/redis.conf on a local port, with its data under `dir` and the users of the file `acl`. */
export function redisProgram(
  binary: string,
  { port, dir, acl }: { port: number; dir: string; acl: string },
  env: Env,
  output: Output,
): Program {
  const args = [GUARD, binary, join(ROOT, "infra/redis.conf"), "--bind", "127.0.0.1"];
  args.push("--port", String(port), "--dir", dir, "--aclfile", acl);
  return { name: "redis", command: process.execPath, args, env, output };
}

/** The recorded model with the scenario files of a folder. */
export function replayProgram(scenarioDir: string, port: number, env: Env, output: Output): Program {
  const args = ["--import", PRELOAD, join(ROOT, "packages/replay/src/main.ts")];
  args.push("--scenario", scenarioDir, "--port", String(port));
  return { name: "replay", command: process.execPath, args, env, output };
}

/** One of the five services. */
export function serviceProgram(name: ServiceName, env: Env, output: Output): Program {
  const args = ["--import", PRELOAD, join(ROOT, "services", name, "src/main.ts")];
  return { name, command: process.execPath, args, env, output };
}
