import { asFault, Fault } from "@agentswarm/contracts";
import { FIRST_BATCH_SIZE, headOf, LARGEST_BATCH_SIZE, nextBatchSize, tasksOf, type Batch } from "./batch.ts";
import { buildBatch } from "./build-batch.ts";
import type { LandingContext } from "./context.ts";
import { publishBatch } from "./publish-batch.ts";
import type { MergeQueue, QueueEntry } from "./queue.ts";
import { waitForQuiet } from "./wait-for-quiet.ts";
import { landingsPause, waitWhilePaused } from "./wait-while-paused.ts";

/** The batch whose turn is next, and one built on top of it. */
const BATCHES_UNDER_TEST = 2;

/**
 * The one loop that moves entries from the merge queue onto the trunk; resolves when the service stops. It reacts to:
 *
 * - **an entry waits**, and fewer than two batches are under test: build a batch of the waiting entries on top of the
 *   last batch, and start its gate. Without a gate one batch at a time is built and published.
 * - **a batch cannot be built**: fail its entries; a retryable fault puts their jobs back. A bug that several entries
 *   met puts them back into the queue, to be taken one by one: only the entry that causes it fails.
 * - **the gate of the first batch is green**: publish the batch, double the batch size.
 * - **the gate of the first batch is red**: abandon the batch behind it, publish the landings before the one that turns
 *   it red, reject that one, put the rest back, halve the batch size.
 * - **the gate cannot run, or publishing fails**: abandon the batch behind it and fail the entries of the first.
 * - **the trunk moved before the push**: abandon the batch behind it and put all entries back. When that happens again and
 *   again, wait longer each time before the next batch, and show the entries' tasks as waiting for a quiet trunk.
 * - **a job is aborted** (shutdown, lost lock): a waiting entry leaves the queue; an entry in a batch stays there.
 * - **a job is cancelled**: a waiting entry leaves the queue; a batch that has it is not published but built again without it.
 * - **landings are paused**: no batch is begun until they are resumed; what is under test is published as usual.
 * - **the queue is empty** and no batch is under test: wait.
 * - **the service stops**: abandon all batches and return; their jobs are retried.
 */
export async function runQueue(ctx: LandingContext, queue: MergeQueue): Promise<void> {
  const depth = ctx.gate === null ? 1 : BATCHES_UNDER_TEST;
  let batches: Batch[] = [];
  /** How often in a row another push came before a batch of ours. */
  let overtakes = 0;
  let size = ctx.gate === null ? LARGEST_BATCH_SIZE : FIRST_BATCH_SIZE;

  const buildNext = async (): Promise<boolean> => {
    if ((await landingsPause(ctx)) !== null) return false;
    const entries = queue.take(size, tasksOf(batches));
    if (entries.length === 0) return false;
    try {
      await Promise.all(entries.map((entry) => entry.atWork()));
      const [first] = batches;
      const last = batches.at(-1);
      if (first === undefined) await ctx.mirror.fetch();
      const published = first?.base ?? (await ctx.mirror.head());
      batches.push(await buildBatch(ctx, entries, { published, base: last ? headOf(last) : published }));
    } catch (error) {
      failAll(entries, asFault(error));
    }
    return true;
  };

  const finish = async (batch: Batch, result: Awaited<Batch["gateResult"]>): Promise<void> => {
    if (result instanceof Fault) {
      abandonAll();
      failAll(entriesOf(batch), result);
      return;
    }
    if (batch.candidates.length > 0) size = nextBatchSize(size, result === null);
    if (result !== null) abandonAll();
    try {
      const { whole, overtaken = false, again } = await publishBatch(ctx, batch, result);
      if (!whole) abandonAll();
      queue.putBack(again);
      overtakes = overtaken ? overtakes + 1 : 0;
      if (overtaken) await waitForQuiet(ctx, again, overtakes);
    } catch (error) {
      abandonAll();
      failAll(entriesOf(batch), asFault(error));
    }
  };

  const failAll = (entries: readonly QueueEntry[], fault: Fault) => {
    if (fault.source !== "bug" || entries.length === 1) {
      for (const entry of entries) entry.fail(fault);
      return;
    }
    ctx.log.error(
      { err: fault, entries: entries.length },
      "a batch failed; its entries are tried one by one",
    );
    for (const entry of entries) entry.isApart = true;
    queue.putBack(entries);
  };

  const abandonAll = () => {
    for (const batch of batches) batch.abandon();
    queue.putBack(batches.flatMap(({ items }) => items.map(({ entry }) => entry)));
    batches = [];
  };

  const runUntilEmpty = async (): Promise<void> => {
    while (!ctx.signal.aborted) {
      while (batches.length < depth && (await buildNext())) {
        // Fill up to the limit of batches under test.
      }
      const [first] = batches;
      if (first === undefined) {
        if (queue.count === 0) return;
        await waitWhilePaused(ctx, queue);
        continue;
      }
      const changed = batches.length < depth ? [queue.changed().then(() => "changed" as const)] : [];
      const result = await Promise.race([first.gateResult, ...changed]);
      if (result === "changed") continue;
      batches.shift();
      await finish(first, result);
    }
  };

  while (!ctx.signal.aborted) {
    try {
      await runUntilEmpty();
    } catch (error) {
      ctx.log.error({ err: error }, "merge queue stopped; the next merge request starts it again");
    }
    if (ctx.signal.aborted) break;
    const changed = queue.changed();
    if (batches.length === 0) await ctx.upkeep.idle(changed);
    await changed;
  }
  for (const batch of batches) batch.abandon();
}

function entriesOf({ items }: Batch): QueueEntry[] {
  return items.map(({ entry }) => entry);
}
