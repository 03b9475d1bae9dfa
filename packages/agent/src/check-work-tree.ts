import { spawn } from "node:child_process";
import { once } from "node:events";
import { delimiter, join } from "node:path";
import type { Check, CheckResult } from "@agentswarm/contracts";

const TAIL_CHARS = 8_000;

/** Runs checks in the work tree, one after another. The runner does this, not the agent. */
export async function runChecksHere(checks: readonly Check[], repo: string): Promise<CheckResult[]> {
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
  let tail = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      tail = (tail + text).slice(-TAIL_CHARS);
    });
  }
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    try {
      if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    } catch {
      // Its group is gone; what holds its output has left it.
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
    outputTail: tail,
  };
}
