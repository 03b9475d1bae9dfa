import { trunkHealthId, type Sweep } from "@agentswarm/contracts";
import { advance } from "./advance.ts";
import { step } from "./carry-out.ts";
import { bookFixes } from "./ledger/book-fixes.ts";
import { isUnsettled, newLedger, type Ledger } from "./ledger/ledger.ts";
import type { PlannerContext } from "./context.ts";

/**
 * Takes in one sweep: a green one finishes features whose landings it covers; a red one books fixes, and counts
 * against the features that wait for green only while nobody mends the trunk. One that could not be made counts too,
 * for nobody but a person can mend that. `sweepId` tells two sweeps apart.
 */
export async function absorbSweep(ctx: PlannerContext, sweep: Sweep, sweepId: string): Promise<void> {
  if (sweep.outcome === "error") {
    ctx.log.warn({ head: sweep.head, reason: sweep.reason }, "the trunk could not be swept");
  }
  await ctx.mirror.fetch();
  if (sweep.outcome === "red" && (await isOutdated(ctx, sweep))) return;
  const fixesOpen = sweep.outcome === "red" && (await bookAll(ctx, sweep));
  for (const ledger of await ctx.ledgers.open()) {
    if (ledger.status !== "verifying" || ledger.feature.repoId !== sweep.repoId) continue;
    const { id } = ledger.feature;
    if (sweep.green !== null && (await isIn(ctx, ledger, sweep.green))) {
      const finishedAt = await ctx.connection.now();
      await step(ctx, id, (now) =>
        now?.status === "verifying" ? { ...now, status: "done", finishedAt } : now,
      );
    } else if (sweep.outcome !== "green" && !fixesOpen && (await isIn(ctx, ledger, sweep.head))) {
      await step(ctx, id, (now) =>
        now?.status !== "verifying" || now.redSweeps.includes(sweepId)
          ? now
          : { ...now, redSweeps: [...now.redSweeps, sweepId] },
      );
      await advance(ctx, id);
    }
  }
}

/** Whether the trunk has been found green since: a message that came late must not call for fixes. */
async function isOutdated({ mirror }: PlannerContext, { head }: Sweep): Promise<boolean> {
  const green = await mirror.green();
  return green !== null && (await mirror.isAncestor(head, green));
}

/** Books fix tasks for a red trunk; says whether any is open. */
async function bookAll(ctx: PlannerContext, sweep: Sweep): Promise<boolean> {
  const createdAt = await ctx.connection.now();
  const mended = await mendedSince(ctx, sweep);
  const health = await step(ctx, trunkHealthId(sweep.repoId), (ledger) =>
    bookFixes(ledger ?? standingFeature(sweep.repoId, createdAt), sweep, mended, ctx.defaults),
  );
  const fixing = health?.tasks.some(isUnsettled) ?? false;
  return fixing || mended.size > 0;
}

/** Failures of a sweep whose fix is on the trunk, but was not yet in what the sweep looked at. */
async function mendedSince({ ledgers, mirror }: PlannerContext, sweep: Sweep): Promise<Set<string>> {
  const mended = new Set<string>();
  const health = await ledgers.get(trunkHealthId(sweep.repoId));
  for (const { signature, commit } of health?.tasks ?? []) {
    if (signature === null || commit === null) continue;
    if (!(await mirror.isAncestor(commit, sweep.head))) mended.add(signature);
  }
  return mended;
}

function standingFeature(repoId: string, createdAt: number): Ledger {
  const feature = {
    id: trunkHealthId(repoId),
    repoId,
    title: "Trunk health",
    description: "Mends what sweeps find broken on the trunk.",
    acceptance: [],
    priority: 1,
    source: "system" as const,
    createdAt,
  };
  return { ...newLedger(feature, feature.id), status: "building" };
}

/** Whether a commit's history has every landing of a feature. */
async function isIn({ mirror }: PlannerContext, ledger: Ledger, commit: string): Promise<boolean> {
  return mirror.hasAll(
    commit,
    ledger.tasks.flatMap((task) => task.commit ?? []),
  );
}
