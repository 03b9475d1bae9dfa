import { withTrace } from "@agentswarm/contracts/node";
import { hashOf, requireMounts, runChecks, type CheckRun } from "@agentswarm/checks";
import { Fault, type CheckResult, type TargetSettings } from "@agentswarm/contracts";
import type { DependencyCache } from "@agentswarm/checks";
import type { LandingEngine, Mirror } from "@agentswarm/git";
import type { Sender } from "@agentswarm/queue";
import type { Mount, SandboxProvider } from "@agentswarm/sandbox";
import type { Logger } from "@agentswarm/service";

interface GateOptions {
  readonly repoId: string;
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

/** A commit that may be published, and the settings that name its checks. */
export interface Candidate {
  readonly commit: string;
  readonly tree: string;
  /** The commit that its batch is built on. */
  readonly base: string;
  /** W3C traceparent of the entry whose landing this is. The gate's log lines and events carry it. */
  readonly trace: string;
  /** The target's settings, as of the base of the batch. */
  readonly target: TargetSettings;
}

/** The check that failed; null when the commit may be published. */
export type GateResult = CheckResult | null;

/** Runs the target's gate checks. */
export interface Gate {
  /** Throws Fault `git.refused` when the sandbox checked another tree than the candidate's. */
  test(candidate: Candidate, signal: AbortSignal): Promise<GateResult>;
}

/** The name under which an attempt is rejected whose dependencies cannot be installed. */
const DEPENDENCIES_CHECK = "dependencies";

/** The largest number of remembered results. */
const REMEMBERED = 1_000;

/**
 * A gate that runs the checks in a fresh sandbox, on exactly the tree that would be published. It remembers the result
 * of each tree, so that a bisection and the next batch run no checks twice. A red tree is tested a second time first,
 * so that a flaky check rejects no attempt.
 */
export function openGate(options: GateOptions): Gate {
  const results = new Map<string, GateResult>();
  return {
    async test(candidate, signal) {
      const checks = candidate.target.checks.gate;
      if (checks.length === 0) return null;
      const key = `${candidate.tree}/${hashOf(checks)}`;
      const remembered = results.get(key);
      if (remembered !== undefined) return remembered;
      const result = await withTrace(candidate.trace, () => testTwice(options, candidate, signal));
      results.set(key, result);
      const [oldest] = results.keys();
      if (results.size > REMEMBERED && oldest !== undefined) results.delete(oldest);
      return result;
    },
  };
}

async function testTwice(
  options: GateOptions,
  candidate: Candidate,
  signal: AbortSignal,
): Promise<GateResult> {
  const first = await run(options, candidate, signal);
  if (first === null) return null;
  const second = await run(options, candidate, signal);
  if (second !== null) return second;
  options.log.warn(
    { check: first.name ?? first.command, tree: candidate.tree },
    "gate check is flaky: red, then green on the same tree",
  );
  await options.sender.event({
    id: `flaked-${candidate.tree}`,
    type: "gate.flaked",
    repoId: options.repoId,
    data: { check: first.name ?? first.command, tree: candidate.tree, outputTail: first.outputTail },
  });
  return null;
}

async function run(options: GateOptions, candidate: Candidate, signal: AbortSignal): Promise<GateResult> {
  const { commit, tree, target } = candidate;
  const installed = await install(options, candidate, signal);
  if ("exitCode" in installed) return installed;
  const done = await runChecks({
    provider: options.provider,
    repoDir: options.mirror.dir,
    commit,
    checks: target.checks.gate,
    mounts: installed.mounts,
    cacheDir: options.bundlesDir,
    labels: { swarm: options.swarm, purpose: "gate" },
    signal,
  });
  const tookMs = Math.round(done.results.reduce((sum, one) => sum + one.durationMs, 0));
  const { cpuMs } = done.figures;
  options.log.info({ tree, passed: done.passed, tookMs, cpuMs }, "gate checks finished");
  if (done.tree === tree) return failureOf(done);
  throw new Fault("git.refused", `the gate checked tree ${done.tree}, but tree ${tree} would be published`);
}

/**
 * The candidate's dependencies, or a red result when they cannot be installed. When the base asks for the same ones, no
 * attempt has caused that: Fault `target.invalid`, retryable.
 */
async function install(
  { dependencies, engine, log }: GateOptions,
  { commit, tree, base, target }: Candidate,
  signal: AbortSignal,
): Promise<{ readonly mounts: readonly Mount[] } | CheckResult> {
  const readFile = (path: string) => engine.readFile(commit, path);
  const startedAt = performance.now();
  const installed = await dependencies.ensure(readFile, { scripts: target.install.scripts, signal });
  const isOfBase =
    installed.kind === "refused" &&
    (await dependencies.isSame(readFile, (path) => engine.readFile(base, path)));
  if (installed.kind === "ready" || isOfBase) return { mounts: requireMounts(installed) };
  log.info({ tree, why: installed.why }, "gate refuses dependencies");
  return {
    name: DEPENDENCIES_CHECK,
    command: "npm install",
    exitCode: 1,
    durationMs: Math.round(performance.now() - startedAt),
    outputTail: installed.why.slice(-8_000),
  };
}

function failureOf({ passed, results }: CheckRun): CheckResult | null {
  if (passed) return null;
  const red = results.find((result) => result.exitCode !== 0);
  return red ?? { name: "gate", command: "", exitCode: 1, durationMs: 0, outputTail: "" };
}
