import { trunkHealthId, type Sweep } from "@agentswarm/contracts";
import type { Mirror } from "@agentswarm/git";
import { advance } from "./advance.ts";
import { step } from "./carry-out.ts";
import type { PlannerContext } from "./context.ts";
import { bookFixes } from "./ledger/book-fixes.ts";
import { isUnsettled, newLedger, type Ledger } from "./ledger/ledger.ts";

/**
 * Absorbs one sweep. A green sweep finishes the features whose landings it covers. A red sweep books fix tasks; it counts
 * against the features that wait for green only while no fix task is open. A sweep that failed itself counts too, because
 * only a person can repair that. `sweepId` makes a redelivered sweep count once.
 */
export async function absorbSweep(ctx: PlannerContext, sweep: Sweep, sweepId: string): Promise<void> {
  if (sweep.outcome === "error") {
    ctx.log.warn({ head: sweep.head, reason: sweep.reason }, "a sweep of the trunk failed");
  }
  const { mirror } = ctx.repo(sweep.repoId);
  await mirror.fetch();
  if (sweep.outcome === "red" && (await isOutdated(mirror, sweep))) return;
  const fixesOpen = sweep.outcome === "red" && (await bookAll(ctx, sweep));
  for (const ledger of await ctx.ledgers.open()) {
    if (ledger.status !== "verifying" || ledger.feature.repoId !== sweep.repoId) continue;
    const { id } = ledger.feature;
    if (sweep.green !== null && (await isIn(mirror, ledger, sweep.green))) {
      const finishedAt = await ctx.connection.now();
      await step(ctx, id, (now) =>
        now?.status === "verifying" ? { ...now, status: "done", finishedAt } : now,
      );
    } else if (sweep.outcome !== "green" && !fixesOpen && (await isIn(mirror, ledger, sweep.head))) {
      await step(ctx, id, (now) =>
        now?.status !== "verifying" || now.redSweeps.includes(sweepId)
          ? now
          : { ...now, redSweeps: [...now.redSweeps, sweepId] },
      );
      await advance(ctx, id);
    }
  }
}

/** Whether a newer trunk was found green already: a late message must not book fixes. */
async function isOutdated(mirror: Mirror, { head }: Sweep): Promise<boolean> {
  const green = await mirror.green();
  return green !== null && (await mirror.isAncestor(head, green));
}

/** Books fix tasks for a red trunk. Returns whether a fix is open, or on the trunk but not in the swept commit yet. */
async function bookAll(ctx: PlannerContext, sweep: Sweep): Promise<boolean> {
  const createdAt = await ctx.connection.now();
  const fixed = await fixedSince(ctx, sweep);
  const health = await step(ctx, trunkHealthId(sweep.repoId), (ledger) =>
    bookFixes(ledger ?? standingFeature(sweep.repoId, createdAt), sweep, fixed, ctx.defaults),
  );
  const fixing = health?.tasks.some(isUnsettled) ?? false;
  return fixing || fixed.size > 0;
}

/** Signatures of failures whose fix is on the trunk, but not in the commit that was swept. */
async function fixedSince({ ledgers, repo }: PlannerContext, sweep: Sweep): Promise<Set<string>> {
  const { mirror } = repo(sweep.repoId);
  const fixed = new Set<string>();
  const health = await ledgers.get(trunkHealthId(sweep.repoId));
  for (const { signature, commit } of health?.tasks ?? []) {
    if (signature === null || commit === null) continue;
    if (!(await mirror.isAncestor(commit, sweep.head))) fixed.add(signature);
  }
  return fixed;
}

function standingFeature(repoId: string, createdAt: number): Ledger {
  const feature = {
    id: trunkHealthId(repoId),
    repoId,
    title: "Trunk health",
    description: "Fixes the failures that sweeps find on the trunk.",
    acceptance: [],
    priority: 1,
    source: "system" as const,
    createdAt,
  };
  return { ...newLedger(feature, feature.id), status: "building" };
}

/** Whether every landing of a feature is in the history of a commit. */
async function isIn(mirror: Mirror, ledger: Ledger, commit: string): Promise<boolean> {
  return mirror.hasAll(
    commit,
    ledger.tasks.flatMap((task) => task.commit ?? []),
  );
}
