import { failuresOf, findChecks, requireMounts, runChecks } from "@agentswarm/checks";
import { Fault, type Check, type CheckResult } from "@agentswarm/contracts";
import { failpoint } from "@agentswarm/contracts/node";
import type { CheckRecord } from "./check-records.ts";
import type { SweepContext } from "./context.ts";

/** A commit on the trunk, and the checks for its tree. */
export interface TreeToCheck {
  readonly head: string;
  readonly tree: string;
  readonly checks: readonly Check[];
  readonly checksHash: string;
  /** Redis time of the sweep request. A record of a red tree that is older is not reused. */
  readonly askedAt: number;
}

/**
 * The results of the checks on a tree. A tree that passed is not checked again. A tree that failed is checked again for
 * a newer request, because the machine may have caused the failure. Throws Fault `git.refused` when the sandbox checked
 * another tree.
 */
export async function checkTree(
  ctx: SweepContext,
  target: TreeToCheck,
  signal: AbortSignal,
): Promise<CheckRecord> {
  const { tree, checksHash, askedAt } = target;
  const known = await ctx.records.find(tree, checksHash);
  if (known !== null && (hasPassed(known.checks) || known.at > askedAt)) return known;
  const checks = await runTwice(ctx, target, signal);
  const same = known !== null && signaturesOf(known.checks) === signaturesOf(checks);
  const record = { checks, drafts: same ? known.drafts : [], at: await ctx.connection.now() };
  await ctx.records.keep(tree, checksHash, record);
  failpoint("reconciler.checked");
  return record;
}

/** Runs red checks a second time, so that a flaky check causes no fix task. */
async function runTwice(ctx: SweepContext, target: TreeToCheck, signal: AbortSignal): Promise<CheckResult[]> {
  const first = await runOnce(ctx, target, signal);
  if (hasPassed(first)) return first;
  const second = await runOnce(ctx, target, signal);
  if (hasPassed(second)) {
    const checks = first.filter((result) => result.exitCode !== 0).map((result) => result.command);
    ctx.log.warn({ head: target.head, checks }, "sweep checks are flaky: red, then green on the same tree");
  }
  return second;
}

async function runOnce(
  ctx: SweepContext,
  { head, tree, checks }: TreeToCheck,
  signal: AbortSignal,
): Promise<CheckResult[]> {
  if (checks.length === 0) return [];
  const { mirror } = ctx;
  const readFile = (path: string) => mirror.readFile(head, path);
  const { scripts } = (await findChecks(readFile)).settings.install;
  const done = await runChecks({
    provider: ctx.provider,
    repoDir: mirror.dir,
    commit: head,
    checks,
    mounts: requireMounts(await ctx.dependencies.ensure(readFile, { scripts, signal })),
    cacheDir: ctx.bundlesDir,
    labels: { swarm: ctx.swarm, purpose: "sweep" },
    signal,
  });
  // At info, because bench:swarm adds up cpuMs.
  ctx.log.info({ head, tree, passed: done.passed, cpuMs: done.figures.cpuMs }, "sweep checks finished");
  if (done.tree === tree) return done.results;
  throw new Fault(
    "git.refused",
    `the sweep checked tree ${done.tree}, but the trunk's head has tree ${tree}`,
  );
}

function hasPassed(results: readonly CheckResult[]): boolean {
  return results.every((result) => result.exitCode === 0);
}

function signaturesOf(results: readonly CheckResult[]): string {
  return failuresOf(results)
    .map((failure) => failure.signature)
    .join(" ");
}
