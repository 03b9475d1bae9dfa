import { TRUNK_HEALTH, type Sweep } from "@agentswarm/contracts";
import { advance } from "./advance.ts";
import { step } from "./carry-out.ts";
import { bookFixes } from "./ledger/book-fixes.ts";
import { hasEnded, isOpen, newLedger, type Ledger } from "./ledger/ledger.ts";
import { unlessEnded } from "./ledger/steps.ts";
import type { Workshop } from "./workshop.ts";

/** Takes in one sweep: a green one finishes features whose landings it covers, a red one books fixes. */
export async function absorbSweep(shop: Workshop, sweep: Sweep): Promise<void> {
  if (sweep.outcome === "error") return;
  const fixesOpen = sweep.outcome === "red" && (await bookAll(shop, sweep));
  await shop.mirror.fetch();
  for (const ledger of await shop.ledgers.all()) {
    if (ledger.status !== "verifying" || hasEnded(ledger)) continue;
    const { id } = ledger.feature;
    if (sweep.green !== null && (await coveredBy(shop, ledger, sweep.green))) {
      const finishedAt = await shop.connection.now();
      await step(shop, id, (now) => unlessEnded(now, (open) => ({ ...open, status: "done", finishedAt })));
    } else if (sweep.outcome === "red" && !fixesOpen) {
      // Nobody is mending it any more, so waiting alone will not turn it green.
      await step(shop, id, (now) => unlessEnded(now, (open) => ({ ...open, redSweeps: open.redSweeps + 1 })));
      await advance(shop, id);
    }
  }
}

/** Books fix tasks for a red trunk; says whether any is open. */
async function bookAll(shop: Workshop, sweep: Sweep): Promise<boolean> {
  const createdAt = await shop.connection.now();
  const made = await step(shop, TRUNK_HEALTH, (ledger) =>
    bookFixes(ledger ?? standingFeature(createdAt), sweep, shop.defaults),
  );
  return made?.after.tasks.some((record) => isOpen(record) || record.status === "held") ?? false;
}

function standingFeature(createdAt: number): Ledger {
  const feature = {
    id: TRUNK_HEALTH,
    title: "Trunk health",
    description: "Mends what sweeps find broken on the trunk.",
    acceptance: [],
    priority: 1,
    source: "system" as const,
    createdAt,
  };
  return { ...newLedger(feature, TRUNK_HEALTH), status: "building" };
}

/** Whether every landing of a feature is in green's history. */
async function coveredBy({ mirror }: Workshop, ledger: Ledger, green: string): Promise<boolean> {
  for (const { commit } of ledger.tasks) {
    if (commit !== null && !(await mirror.isAncestor(commit, green))) return false;
  }
  return true;
}
