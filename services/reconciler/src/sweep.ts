import {
  failpoint,
  type Check,
  type CheckResult,
  type Sweep,
  type SweepRequest,
} from "@agentswarm/contracts";
import { failuresOf, findChecks, hashOf, runChecks } from "@agentswarm/checks";
import type { Mirror } from "@agentswarm/git";
import { decideGreen } from "./decide-green.ts";
import { draftFixes } from "./draft-fixes.ts";
import type { Workshop } from "./workshop.ts";

const GREEN = "refs/heads/green";
const RECENT_LANDINGS = 30;

/**
 * One pass over the trunk's head: runs every check of the target in a fresh sandbox, moves green when all pass,
 * and words fix tasks when not. Running it twice on the same head gives the same sweep.
 */
export async function sweep(shop: Workshop, request: SweepRequest, signal: AbortSignal): Promise<Sweep> {
  const { mirror } = shop;
  await mirror.fetch();
  const head = await mirror.head();
  const green = await mirror.green();
  const checks = await checksOf(mirror, head);
  const about = { why: request.why, head, tree: await mirror.treeOf(head), checksHash: hashOf(checks) };

  const results = await runAll(shop, { head, checks, signal });
  failpoint("reconciler.checked");
  const greenIsAncestor = green !== null && (await mirror.isAncestor(green, head));
  const finding = decideGreen({ head, green, greenIsAncestor, results });

  if (finding.outcome === "green") {
    const at = finding.advance ? await advanceGreen(mirror, green, head) : green;
    return { ...about, checks: results, outcome: "green", green: at, failures: [], drafts: [] };
  }

  const failures = failuresOf(results);
  const landings = await mirror.landings(head, green ?? undefined);
  const titles = landings
    .slice(0, RECENT_LANDINGS)
    .map((landing) => `${landing.commit.slice(0, 10)} ${landing.title}`);
  const { drafts, usage } = await draftFixes(shop.model, shop.promptsDir, failures, titles, signal);
  await shop.meter(usage, `${head}-${about.checksHash}`);
  return { ...about, checks: results, outcome: "red", green, failures, drafts };
}

async function checksOf(mirror: Mirror, commit: string): Promise<Check[]> {
  const { settings } = await findChecks((path) => mirror.readFile(commit, path));
  const seen = new Set<string>();
  return [...settings.checks.gate, ...settings.checks.sweep].filter(
    (check) => !seen.has(check.command) && seen.add(check.command),
  );
}

async function runAll(
  shop: Workshop,
  job: { head: string; checks: Check[]; signal: AbortSignal },
): Promise<CheckResult[]> {
  if (job.checks.length === 0) return [];
  const { mirror } = shop;
  const mounts = await shop.dependencies.ensure((path) => mirror.readFile(job.head, path));
  const run = async () => {
    const { results } = await runChecks({
      provider: shop.provider,
      repoDir: mirror.dir,
      commit: job.head,
      checks: job.checks,
      mounts,
      cacheDir: shop.bundlesDir,
      labels: { swarm: shop.swarm, purpose: "sweep" },
      signal: job.signal,
    });
    return results;
  };
  const first = await run();
  if (first.every((result) => result.exitCode === 0)) return first;
  // A flaky check must not cost a fix task: what is red twice is red.
  return run();
}

/** Moves green by compare-and-swap; somebody else's move wins. Returns where it points now. */
async function advanceGreen(mirror: Mirror, from: string | null, head: string): Promise<string | null> {
  const pushed = await mirror.push(GREEN, from, head);
  failpoint("reconciler.published");
  if (pushed === "published") return head;
  await mirror.fetch();
  return mirror.green();
}
