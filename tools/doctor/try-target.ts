import { asFault, type CheckResult } from "@agentswarm/contracts";
import { openDependencyCache, runChecks, type FoundChecks } from "@agentswarm/checks";
import type { SandboxProvider } from "@agentswarm/sandbox";
import type { Environment } from "@agentswarm/service";
import { join } from "node:path";
import { fail, ok, type Finding } from "./finding.ts";
import type { Target } from "./open-target.ts";

const TAIL_LINES = 8;

/** Installs the target's dependencies and runs its checks once in a sandbox, as the swarm does it. */
export async function tryTarget(
  { provider, home, env }: { provider: SandboxProvider; home: string; env: Environment },
  target: Target,
  { settings }: FoundChecks,
): Promise<Finding[]> {
  const log = { debug: () => undefined, info: () => undefined };
  const cache = openDependencyCache({ home, provider, swarm: "doctor", env, log });
  const scripts = settings.install.scripts;
  const readFile = (path: string) => target.readFile(path);
  try {
    const installed = await cache.ensure(readFile, { scripts });
    if (installed.kind === "refused")
      return [
        fail("dependencies", lastLines(installed.why), "correct the target's package.json or lockfile"),
      ];
    const count = installed.mounts.length === 0 ? "the target has none" : "installed in a sandbox";
    const { results } = await runChecks({
      provider,
      repoDir: target.dir,
      commit: target.commit,
      checks: [...settings.checks.gate, ...settings.checks.sweep],
      mounts: installed.mounts,
      cacheDir: join(target.dir, "bundles"),
      labels: { swarm: "doctor", purpose: "trial" },
    });
    return [ok("dependencies", count), ...results.map(findingOf)];
  } catch (error) {
    return [fail("dependencies", lastLines(asFault(error).message), "the swarm would wait for this")];
  }
}

function findingOf({ command, exitCode, durationMs, outputTail }: CheckResult): Finding {
  const name = "check run";
  if (exitCode === 0) return ok(name, `${command} passes in a sandbox (${Math.ceil(durationMs / 1_000)} s)`);
  return fail(
    name,
    `${command} fails on the trunk in a sandbox (exit ${exitCode}):\n${lastLines(outputTail)}`,
    "correct it on the trunk, or take it out of the checks: a sandbox has no network and no files of this machine",
  );
}

function lastLines(text: string): string {
  return text.trim().split("\n").slice(-TAIL_LINES).join("\n");
}
