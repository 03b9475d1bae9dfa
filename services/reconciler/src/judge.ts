import { failuresOf, runChecks } from "@agentswarm/checks";
import { failpoint, Fault, type Check, type CheckResult } from "@agentswarm/contracts";
import type { Verdict } from "./verdicts.ts";
import type { Workshop } from "./workshop.ts";

/** A commit on the trunk, and what it is judged by. */
export interface Case {
  readonly head: string;
  readonly tree: string;
  readonly checks: readonly Check[];
  readonly checksHash: string;
  /** When the verdict was asked for, in Redis time. */
  readonly askedAt: number;
}

/**
 * What the checks give on a tree. A tree that has passed is not checked again; one that has failed is when somebody
 * asks anew, for what failed it may have been the machine.
 */
export async function judge(shop: Workshop, one: Case, signal: AbortSignal): Promise<Verdict> {
  const { tree, checksHash, askedAt } = one;
  const known = await shop.verdicts.find(tree, checksHash);
  if (known !== null && (hasPassed(known.checks) || known.at > askedAt)) return known;
  const checks = await runTwice(shop, one, signal);
  const same = known !== null && signaturesOf(known.checks) === signaturesOf(checks);
  const verdict = { checks, drafts: same ? known.drafts : [], at: await shop.connection.now() };
  await shop.verdicts.keep(tree, checksHash, verdict);
  failpoint("reconciler.checked");
  return verdict;
}

/** A flaky check must not cost a fix task: what is red twice is red. */
async function runTwice(shop: Workshop, one: Case, signal: AbortSignal): Promise<CheckResult[]> {
  const first = await runOnce(shop, one, signal);
  if (hasPassed(first)) return first;
  const second = await runOnce(shop, one, signal);
  if (hasPassed(second)) {
    const flaky = first.filter((result) => result.exitCode !== 0).map((result) => result.command);
    shop.log.warn({ head: one.head, checks: flaky }, "flaky: red, then green on the same tree");
  }
  return second;
}

async function runOnce(shop: Workshop, one: Case, signal: AbortSignal): Promise<CheckResult[]> {
  const { head, tree, checks } = one;
  if (checks.length === 0) return [];
  const { mirror } = shop;
  const done = await runChecks({
    provider: shop.provider,
    repoDir: mirror.dir,
    commit: head,
    checks,
    mounts: await shop.dependencies.ensure((path) => mirror.readFile(head, path)),
    cacheDir: shop.bundlesDir,
    labels: { swarm: shop.swarm, purpose: "sweep" },
    signal,
  });
  shop.log.info({ tree, passed: done.passed, cpuMs: done.figures.cpuMs }, "the trunk's tree was checked");
  if (done.tree === tree) return done.results;
  throw new Fault("git.refused", `tree ${done.tree} was checked, but the trunk has ${tree}`);
}

function hasPassed(results: readonly CheckResult[]): boolean {
  return results.every((result) => result.exitCode === 0);
}

function signaturesOf(results: readonly CheckResult[]): string {
  return failuresOf(results)
    .map((failure) => failure.signature)
    .join(" ");
}
