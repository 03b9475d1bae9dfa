import type { TaskRecord } from "./task-record.ts";

/** Lists of task ids that the store keeps beside the tasks: one for each status, and the resolve tasks that are open. */
export type ListName = TaskRecord["status"] | "resolves";

/** What a decision needs of a ledger besides what was read. */
export interface Needs {
  /** Ids of tasks. */
  readonly tasks?: readonly string[];
  readonly lists?: readonly ListName[];
  /** Signatures whose fix tasks are needed. */
  readonly signatures?: readonly string[];
  /** The keys of landed tasks. */
  readonly names?: boolean;
  /** The commits of landed tasks. */
  readonly landings?: boolean;
}

/**
 * Thrown by a decision that needs a part of the ledger that was not read. The store reads it and decides again, so a
 * decision stays a pure function and names what it needs just by asking for it.
 */
export class NotRead extends Error {
  readonly needs: Needs;

  constructor(needs: Needs) {
    super(`not read: ${JSON.stringify(needs)}`);
    this.needs = needs;
  }
}

/** The part of a ledger that was not read, and what is known of it. A ledger without a rest was read whole. */
export interface Rest {
  /** Numbers of the tasks that were not read, by status. */
  readonly counts: Readonly<Partial<Record<TaskRecord["status"], number>>>;
  /** Number of entries in the outbox. */
  readonly outbox: number;
  /** Number of the revisions that were not read. */
  readonly revisions: number;
  /** Version of the head; 0 for a feature that does not exist. */
  readonly headVersion: number;
  /** Number of all steps of the ledger until it was read. */
  readonly revision: number;
  /** Versions of the tasks that were read; 0 for one that does not exist. */
  readonly versions: ReadonlyMap<string, number>;
  /** Ids of tasks that depend on those that were read, or wait behind them. */
  readonly dependents: ReadonlyMap<string, readonly string[]>;
  /** Ids of tasks that were read and fit no schema. */
  readonly unreadable: ReadonlySet<string>;
  /** Ids of tasks that this step is to look at beside those that it changes: a part of what earlier steps left. */
  readonly batch: readonly string[];
  readonly lists: ReadonlyMap<ListName, readonly string[]>;
  readonly signatures: ReadonlyMap<string, readonly string[]>;
  readonly names: ReadonlyMap<string, string> | null;
  readonly landings: ReadonlyMap<string, string> | null;
  /** Called when a decision depends on the whole ledger; then the step is lost to every other step meanwhile. */
  readonly dependsOnAll: () => void;
}
