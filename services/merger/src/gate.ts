import { Fault, type MergeOutcome, type MergeRequest, type TargetSettings } from "@agentswarm/contracts";
import { runChecks } from "@agentswarm/checks";
import type { Workshop } from "./workshop.ts";

/**
 * Runs the gate checks on the very commit that is about to be published, in a fresh sandbox, with the commands of
 * the trunk before it. A red run is done once more before anybody is blamed. Returns null when it may be published.
 */
export async function runGate(
  shop: Workshop,
  target: TargetSettings,
  landing: { readonly commit: string; readonly tree: string },
  request: MergeRequest,
  signal: AbortSignal,
): Promise<MergeOutcome | null> {
  const checks = target.checks.gate;
  if (checks.length === 0) return null;
  const { mirror } = shop;
  const mounts = await shop.dependencies.ensure((path) => mirror.readFile(landing.commit, path));
  const run = async () => {
    const done = await runChecks({
      provider: shop.provider,
      repoDir: mirror.dir,
      commit: landing.commit,
      checks,
      mounts,
      cacheDir: shop.bundlesDir,
      labels: { swarm: shop.swarm, purpose: "gate", task: request.taskId },
      signal,
    });
    if (done.tree !== landing.tree) {
      throw new Fault("git.refused", `tree ${done.tree} was checked, but ${landing.tree} would be published`);
    }
    return done;
  };
  const first = await run();
  if (first.passed) return null;
  const second = await run();
  if (second.passed) {
    shop.log.warn({ taskId: request.taskId }, "a gate check is flaky: red, then green on the same tree");
    return null;
  }
  const red = second.results.find((result) => result.exitCode !== 0);
  return { kind: "rejected", check: red?.name ?? "gate", outputTail: red?.outputTail ?? "" };
}
