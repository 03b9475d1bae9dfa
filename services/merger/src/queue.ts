import { currentTrace } from "@agentswarm/contracts/node";
import { newTraceparent, Fault, type MergeOutcome, type MergeRequest } from "@agentswarm/contracts";
import type { JobContext } from "@agentswarm/queue";

/** The part of a merge job's context that the queue uses. */
export type MergeJob = Pick<JobContext, "signal" | "crashes" | "atWork" | "waitsFor">;

/** One merge request that waits for its outcome. */
export interface QueueEntry {
  readonly request: MergeRequest;
  /** W3C traceparent of the entry's job. */
  readonly trace: string;
  /** How often the merger crashed while this entry was in a batch. */
  readonly crashes: number;
  /** Records that the entry is in a batch: from now on a crash counts against its job. */
  atWork(): Promise<void>;
  /** Shows the entry's task as waiting for what a fault names, while the entry stays in the queue. */
  waitsFor(fault: Fault): Promise<void>;
  /** Taken alone from now on: its last batch failed for no known reason. */
  isApart: boolean;
  /** The task was cancelled while this entry was in a batch. It does not land unless its batch is published already. */
  isCancelled: boolean;
  /** Ends the entry with an outcome. */
  resolveEntry(outcome: MergeOutcome): void;
  /** Ends the entry with an error; a retryable one puts its job back. */
  fail(fault: Fault): void;
}

/** Merge requests that wait for a batch, in the order in which they came. */
export interface MergeQueue {
  readonly count: number;
  /** Resolves when the next entry is added or put back, or when the service stops. */
  changed(): Promise<void>;
  /**
   * Adds a request and resolves with its outcome. Rejects when the job is aborted; an entry that is in a batch by then
   * may still land, and the retried job reads that from the trunk. A cancelled job is not retried: its entry in a batch
   * resolves if the trunk has it, and is taken out of the batch otherwise.
   */
  add(request: MergeRequest, job: MergeJob): Promise<MergeOutcome>;
  /**
   * Takes the next entries, at most `limit`, in order. Leaves out entries of `busyTasks`, and takes one entry per task.
   * An approved entry is taken alone, because it may change the checks, and so is one that is apart. Entries that were in a batch when the merger
   * crashed are taken in ever smaller batches, so that the entry that causes the crashes is alone before the others
   * have used up their crash budget.
   */
  take(limit: number, busyTasks: ReadonlySet<string>): QueueEntry[];
  /** Shows the task of every waiting entry as waiting for what a fault names. */
  waitsFor(fault: Fault): Promise<void>;
  /** Puts entries back before all others, without the cancelled ones, which end here. */
  putBack(entries: readonly QueueEntry[]): void;
}

/** The largest batch for an entry, by its number of crashes; 1 beyond the end of the list. */
const LIMIT_AFTER_CRASHES = [Infinity, 10, 3];

/** @param stopping aborted when the service stops; wakes up the consumer of the queue */
export function openMergeQueue(stopping: AbortSignal): MergeQueue {
  const waiting: QueueEntry[] = [];
  let next = Promise.withResolvers<void>();
  const announceChange = () => {
    next.resolve();
    next = Promise.withResolvers<void>();
  };
  stopping.addEventListener("abort", announceChange, { once: true });
  return {
    get count() {
      return waiting.length;
    },
    changed: () => next.promise,
    async add(request, { signal, crashes, atWork, waitsFor }) {
      signal.throwIfAborted();
      const { promise, resolve, reject } = Promise.withResolvers<MergeOutcome>();
      const entry: QueueEntry = {
        request,
        trace: currentTrace() ?? newTraceparent(),
        crashes,
        atWork,
        waitsFor,
        isApart: false,
        isCancelled: false,
        resolveEntry: resolve,
        fail: reject,
      };
      const onAbort = () => {
        const index = waiting.indexOf(entry);
        if (index !== -1) waiting.splice(index, 1);
        // The landing of an entry in a batch may be on its way to the trunk, and the planner must hear of it.
        if (index === -1 && signal.reason === "cancel") entry.isCancelled = true;
        else reject(aborted(request, signal.reason));
      };
      // A signal aborts once: after a cancel the job's own does not tell of the stop.
      const onStop = () => reject(aborted(request, stopping.reason));
      signal.addEventListener("abort", onAbort, { once: true });
      stopping.addEventListener("abort", onStop, { once: true });
      waiting.push(entry);
      announceChange();
      return promise.finally(() => {
        signal.removeEventListener("abort", onAbort);
        stopping.removeEventListener("abort", onStop);
      });
    },
    take(limit, busyTasks) {
      const taken: QueueEntry[] = [];
      const tasks = new Set(busyTasks);
      let most = limit;
      for (const entry of waiting) {
        const { taskId, approvedBy } = entry.request;
        if (tasks.has(taskId)) continue;
        const isAlone = approvedBy !== undefined || entry.isApart;
        const own = isAlone ? 1 : (LIMIT_AFTER_CRASHES[entry.crashes] ?? 1);
        most = Math.min(most, own);
        if (taken.length >= most) break;
        tasks.add(taskId);
        taken.push(entry);
      }
      for (const entry of taken) waiting.splice(waiting.indexOf(entry), 1);
      return taken;
    },
    async waitsFor(fault) {
      await Promise.all(waiting.map((entry) => entry.waitsFor(fault)));
    },
    putBack(entries) {
      for (const { isCancelled, request, fail } of entries) if (isCancelled) fail(aborted(request, "cancel"));
      waiting.unshift(...entries.filter((entry) => !entry.isCancelled));
      announceChange();
    },
  };
}

function aborted({ taskId }: MergeRequest, reason: unknown): Fault {
  return new Fault("internal", `merge job of task ${taskId} aborted: ${String(reason)}`, { retryable: true });
}
