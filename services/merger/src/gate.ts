import { hashOf, runChecks, type CheckRun } from "@agentswarm/checks";
import { Fault, type CheckResult, type TargetSettings } from "@agentswarm/contracts";
import type { DependencyCache } from "@agentswarm/checks";
import type { LandingEngine, Mirror } from "@agentswarm/git";
import type { Sender } from "@agentswarm/queue";
import type { SandboxProvider } from "@agentswarm/sandbox";
import type { Logger } from "@agentswarm/service";

/** What trees are tested with. */
export interface TestBench {
  readonly mirror: Mirror;
  readonly engine: LandingEngine;
  readonly provider: SandboxProvider;
  readonly dependencies: DependencyCache;
  readonly sender: Sender;
  readonly log: Logger;
  readonly bundlesDir: string;
  /** The label all sandboxes of this swarm carry. */
  readonly swarm: string;
}

/** A commit that might be published, and what it is tested by. */
export interface Candidate {
  readonly commit: string;
  readonly tree: string;
  /** The target's settings on the trunk before it. */
  readonly target: TargetSettings;
}

/** Null: it may be published. Otherwise the check that failed. */
export type Verdict = CheckResult | null;

/** Runs the gate checks on trees, each at most once (but a red one is tried again before anybody is blamed). */
export interface Gate {
  test(candidate: Candidate, signal: AbortSignal): Promise<Verdict>;
}

const REMEMBERED = 1_000;

/**
 * The gate: checks in a fresh sandbox, on the very tree that is to be published. What a tree gave is remembered, so
 * that a bisection and the group after it ask for nothing twice.
 */
export function openGate(bench: TestBench): Gate {
  const known = new Map<string, Verdict>();
  return {
    async test(candidate, signal) {
      const checks = candidate.target.checks.gate;
      if (checks.length === 0) return null;
      const key = `${candidate.tree}/${hashOf(checks)}`;
      const before = known.get(key);
      if (before !== undefined) return before;
      const verdict = await testTwice(bench, candidate, signal);
      known.set(key, verdict);
      const [oldest] = known.keys();
      if (known.size > REMEMBERED && oldest !== undefined) known.delete(oldest);
      return verdict;
    },
  };
}

async function testTwice(bench: TestBench, candidate: Candidate, signal: AbortSignal): Promise<Verdict> {
  const first = failureOf(await run(bench, candidate, signal));
  if (first === null) return null;
  const second = failureOf(await run(bench, candidate, signal));
  if (second !== null) return second;
  bench.log.warn(
    { check: first.name, tree: candidate.tree },
    "a gate check is flaky: red, then green on the same tree",
  );
  await bench.sender.event({
    id: `flaked-${candidate.tree}`,
    type: "gate.flaked",
    data: { check: first.name, tree: candidate.tree, outputTail: first.outputTail },
  });
  return null;
}

async function run(bench: TestBench, candidate: Candidate, signal: AbortSignal): Promise<CheckRun> {
  const { commit, tree, target } = candidate;
  const done = await runChecks({
    provider: bench.provider,
    repoDir: bench.mirror.dir,
    commit,
    checks: target.checks.gate,
    mounts: await bench.dependencies.ensure((path) => bench.engine.readFile(commit, path)),
    cacheDir: bench.bundlesDir,
    labels: { swarm: bench.swarm, purpose: "gate" },
    signal,
  });
  const tookMs = Math.round(done.results.reduce((sum, one) => sum + one.durationMs, 0));
  const { cpuMs } = done.figures;
  bench.log.info({ tree, passed: done.passed, tookMs, cpuMs }, "a tree was tested");
  if (done.tree === tree) return done;
  throw new Fault("git.refused", `tree ${done.tree} was checked, but ${tree} would be published`);
}

function failureOf({ passed, results }: CheckRun): CheckResult | null {
  if (passed) return null;
  const red = results.find((result) => result.exitCode !== 0);
  return red ?? { name: "gate", command: "", exitCode: 1, durationMs: 0, outputTail: "" };
}
