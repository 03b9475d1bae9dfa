import { spawn } from "node:child_process";
import { once } from "node:events";
import { delimiter, join } from "node:path";
import type { Check, CheckResult } from "@agentswarm/contracts";
import { keepTail } from "./keep-tail.ts";

const TAIL_CHARS = 8_000;

/** Runs all checks in the work tree, one after another. The runner calls this; the agent's own runs do not count. */
export async function checkWorkTree(checks: readonly Check[], repo: string): Promise<CheckResult[]> {
  const results: CheckResult[] = [];
  for (const check of checks) results.push(await runCheck(check, repo));
  return results;
}

async function runCheck(check: Check, cwd: string): Promise<CheckResult> {
  const startedAt = performance.now();
  const modules = [join(cwd, "node_modules/.bin"), join(cwd, "../node_modules/.bin")];
  const path = [...modules, process.env["PATH"] ?? ""].join(delimiter);
  const child = spawn("sh", ["-c", check.command], {
    cwd,
    env: { ...process.env, PATH: path, CI: "true", NO_COLOR: "1" },
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const outputTail = keepTail([child.stdout, child.stderr], TAIL_CHARS);
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    try {
      if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    } catch {
      // The process group is gone. A process that left the group may still hold the output open.
    }
    child.stdout.destroy();
    child.stderr.destroy();
  }, check.timeoutMs);
  const [code] = (await once(child, "close")) as [number | null];
  clearTimeout(timer);
  return {
    name: check.name,
    command: check.command,
    exitCode: timedOut ? -1 : (code ?? -1),
    durationMs: Math.round(performance.now() - startedAt),
    outputTail: outputTail(),
  };
}
