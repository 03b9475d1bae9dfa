import { jobId, type MergeOutcome } from "@agentswarm/contracts";
import { failpoint, withTrace } from "@agentswarm/contracts/node";
import type { Batch, BatchItem } from "./batch.ts";
import { bisect } from "./bisect.ts";
import type { LandingContext } from "./context.ts";
import type { GateResult } from "./gate.ts";
import type { QueueEntry } from "./queue.ts";

/** The result of publishing a batch. */
export interface Publication {
  /** The trunk carries the whole batch, so the batch built upon it stays valid. */
  readonly whole: boolean;
  /** Somebody else's push came first, so nothing was published. */
  readonly overtaken?: boolean;
  /** Entries that must be built again, in order. */
  readonly again: readonly QueueEntry[];
}

/**
 * Publishes a batch according to its gate result.
 *
 * 1. Gate green or off: publish the whole batch by one compare-and-swap and resolve its entries.
 * 2. Gate red: bisect the batch to the first landing that turns it red.
 * 3. Publish the landings before that one, which the bisection tested green.
 * 4. Reject that entry with the failed check and its output.
 * 5. Return the entries after it, to be built again.
 *
 * If the trunk moved in the meantime, or a task was cancelled, nothing is published, and all entries are returned. A cancel
 * that comes later finds the landing on the trunk.
 */
export async function publishBatch(
  ctx: LandingContext,
  batch: Batch,
  result: GateResult,
): Promise<Publication> {
  failpoint("merger.gated");
  const { gate } = ctx;
  if (result === null || gate === null) return publish(ctx, batch, batch.items);
  const { items, candidates } = batch;
  const culpritIndex = await bisect(candidates.length, async (first) => {
    const candidate = candidates[first - 1];
    return candidate !== undefined && (await gate.test(candidate, ctx.signal)) !== null;
  });
  const culprit = candidates[culpritIndex];
  const at = items.findIndex((item) => "built" in item && item.built.commit === culprit?.commit);
  const before = await publish(ctx, batch, items.slice(0, at));
  if (!before.whole) return { ...before, again: [...before.again, ...entriesOf(items.slice(at))] };
  // The culprit's result upon green landings only; the gate remembers that run.
  const red = (culprit === undefined ? null : await gate.test(culprit, ctx.signal)) ?? result;
  const check = red.name ?? red.command;
  const entry = items[at]?.entry;
  if (entry !== undefined) {
    const fields = { ...idsOf(entry), check, landings: candidates.length };
    withTrace(entry.trace, () => ctx.log.info(fields, "batch bisected"));
    entry.resolveEntry({ kind: "rejected", check, outputTail: red.outputTail });
  }
  return { whole: false, again: entriesOf(items.slice(at + 1)) };
}

/** Moves the trunk to the last landing of `items`; log line and sweep request carry that entry's trace. */
async function publish(ctx: LandingContext, batch: Batch, items: readonly BatchItem[]): Promise<Publication> {
  const landings = items.flatMap(({ entry, ...item }) =>
    "built" in item ? [{ entry, taskId: entry.request.taskId, commit: item.built.commit }] : [],
  );
  if (landings.some(({ entry }) => entry.isCancelled)) return { whole: false, again: entriesOf(items) };
  const last = landings.at(-1);
  if (last !== undefined) {
    const { mirror } = ctx;
    const head = last.commit;
    const move = { ref: `refs/heads/${mirror.trunk}`, from: batch.base, to: head };
    const pushed = await mirror.push(move, ctx.lease);
    failpoint("merger.published");
    if (pushed === "moved") return { whole: false, overtaken: true, again: entriesOf(items) };
    ctx.landed.record(batch.base, head, landings);
    ctx.upkeep.batchPublished();
    const fields = { base: batch.base, head, landings: landings.length };
    withTrace(last.entry.trace, () => ctx.log.info(fields, "batch published"));
  }
  for (const item of items) item.entry.resolveEntry(outcomeOf(item, landings.length));
  if (last !== undefined)
    await withTrace(last.entry.trace, () => requestSweep(ctx, last.commit, landings.length));
  return { whole: true, again: [] };
}

function outcomeOf(item: BatchItem, group: number): MergeOutcome {
  if (!("built" in item)) return item.outcome;
  const { commit, tree } = item.built;
  return { kind: "landed", commit, tree, group };
}

/** Requests a sweep after every NUDGE_AFTER landings, so that a red trunk is found early. */
async function requestSweep(ctx: LandingContext, head: string, landings: number): Promise<void> {
  const { sender, landed, nudgeAfter } = ctx;
  const count = landed.count();
  const crossed = Math.floor(count / nudgeAfter) > Math.floor((count - landings) / nudgeAfter);
  if (!crossed) return;
  try {
    await sender.send(
      "sweep",
      { why: "nudge", repoId: ctx.repoId },
      { jobId: jobId.sweepAfterLandings(head) },
    );
  } catch (error) {
    // The landings are published; the reconciler's timer sweeps them later.
    ctx.log.warn({ err: error, head }, "sweep could not be requested; the timer will start one");
  }
}

function entriesOf(items: readonly BatchItem[]): QueueEntry[] {
  return items.map(({ entry }) => entry);
}

function idsOf({ request }: QueueEntry) {
  return { featureId: request.featureId, taskId: request.taskId, attempt: request.attempt };
}
