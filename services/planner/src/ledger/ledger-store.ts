import type { UsedUp } from "@agentswarm/contracts";
import type { Documents } from "@agentswarm/queue";
import { applyStep, type LedgerStep } from "./apply-step.ts";
import { effectId } from "./effects-between.ts";
import { hasEnded, type Effect, type Ledger } from "./ledger.ts";

export interface LedgerStore {
  get(featureId: string): Promise<Ledger | null>;
  /** Ledgers that may still need something done: those that have not ended or have pending effects. */
  open(): Promise<Ledger[]>;
  isEmpty(): Promise<boolean>;
  /**
   * Applies a step to the newest ledger by compare-and-set, with the newest state of the budgets, and writes its effects
   * with it. A step that changes nothing writes nothing. Null: the feature does not exist and the step did not create
   * it. Throws Fault `conflict` (retryable) when the ledger keeps changing meanwhile.
   */
  update(featureId: string, step: LedgerStep): Promise<Ledger | null>;
  /** Removes effects that are done from the pending ones. Returns the newest ledger. */
  done(featureId: string, effects: readonly Effect[]): Promise<Ledger | null>;
  /** The feature that has this task, or null. */
  featureOf(taskId: string): Promise<string | null>;
}

interface LedgerStoreOptions {
  readonly documents: Documents<Ledger>;
  /** The budget that leaves nothing for a feature, or null. */
  readonly usedUp: (featureId: string) => Promise<UsedUp | null>;
  /** Called once for every write. */
  readonly onWritten: (before: Ledger | null, after: Ledger) => void;
}

/** After so many calls of `open` the ended ledgers are read again: another replica may have reopened one. */
const CALLS_BETWEEN_FULL_READS = 100;

export function openLedgerStore({ documents, usedUp, onWritten }: LedgerStoreOptions): LedgerStore {
  const ended = new Set<string>();
  let calls = 0;

  const note = (ledger: Ledger) => {
    if (hasEnded(ledger) && ledger.pending.length === 0) ended.add(ledger.feature.id);
    else ended.delete(ledger.feature.id);
  };

  const write = async (
    featureId: string,
    change: (ledger: Ledger | null, version: number) => Ledger | null,
  ): Promise<Ledger | null> => {
    let before: Ledger | null = null;
    const newest = await documents.update(featureId, (ledger, version) => {
      before = ledger;
      return change(ledger, version);
    });
    if (newest === null) return null;
    note(newest);
    if (newest !== before) onWritten(before, newest);
    return newest;
  };

  const store: LedgerStore = {
    get: async (featureId) => (await documents.get(featureId))?.value ?? null,
    async open() {
      calls += 1;
      if (calls % CALLS_BETWEEN_FULL_READS === 0) ended.clear();
      const ledgers: Ledger[] = [];
      for (const key of await documents.keys()) {
        const ledger = ended.has(key) ? null : await store.get(key);
        if (ledger === null) continue;
        note(ledger);
        if (!ended.has(key)) ledgers.push(ledger);
      }
      return ledgers;
    },
    isEmpty: async () => (await documents.keys()).length === 0,
    async update(featureId, step) {
      const budget = await usedUp(featureId);
      return write(featureId, (before, version) => applyStep(before, step, { usedUp: budget, version }));
    },
    async done(featureId, effects) {
      const done = new Set(effects.map(effectId));
      return write(featureId, (ledger) => {
        const pending = ledger?.pending.filter((effect) => !done.has(effectId(effect))) ?? [];
        return ledger === null || pending.length === ledger.pending.length ? ledger : { ...ledger, pending };
      });
    },
    async featureOf(taskId) {
      for (const key of await documents.keys()) {
        const ledger = await store.get(key);
        if (ledger?.tasks.some((record) => record.task.id === taskId)) return key;
      }
      return null;
    },
  };
  return store;
}
