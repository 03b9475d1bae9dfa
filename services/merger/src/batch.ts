import type { Fault, MergeOutcome } from "@agentswarm/contracts";
import type { Candidate, GateResult } from "./gate.ts";
import type { QueueEntry } from "./queue.ts";

/** An entry of a batch: with the landing that was built for it, or with an outcome that needs none. */
export type BatchItem =
  | { readonly entry: QueueEntry; readonly built: { readonly commit: string; readonly tree: string } }
  | { readonly entry: QueueEntry; readonly outcome: MergeOutcome };

/** Landings that are built upon each other, tested together and published together. */
export interface Batch {
  /** The commit that the batch is built on: the trunk's head, or the last commit of the batch before it. */
  readonly base: string;
  readonly items: readonly BatchItem[];
  /** The commits of the batch, in order; the gate tests the last one. */
  readonly candidates: readonly Candidate[];
  /** Resolves with a Fault when the gate could not run; never rejects. */
  readonly gateResult: Promise<GateResult | Fault>;
  /** Aborts the gate run, because the base of the batch will not be published. */
  abandon(): void;
}

/** The largest number of entries of a batch, at first and ever. */
export const FIRST_BATCH_SIZE = 8;
export const LARGEST_BATCH_SIZE = 100;

/** The size of the next batch: doubled after a green gate, halved after a red one. */
export function nextBatchSize(size: number, passed: boolean): number {
  return passed ? Math.min(size * 2, LARGEST_BATCH_SIZE) : Math.max(1, Math.floor(size / 2));
}

/** The trunk's head once the batch is published. */
export function headOf(batch: Batch): string {
  return batch.candidates.at(-1)?.commit ?? batch.base;
}

export function tasksOf(batches: readonly Batch[]): Set<string> {
  return new Set(batches.flatMap(({ items }) => items.map(({ entry }) => entry.request.taskId)));
}
