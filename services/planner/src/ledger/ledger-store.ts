import type { Documents } from "@agentswarm/queue";
import { effectId, effectsBetween } from "./effects-between.ts";
import { hasEnded, type Effect, type Ledger } from "./ledger.ts";

export interface LedgerStore {
  get(featureId: string): Promise<Ledger | null>;
  /** Ledgers that somebody may still have to do something for. */
  open(): Promise<Ledger[]>;
  isEmpty(): Promise<boolean>;
  /**
   * Carries out a pure step on the newest ledger, done again when somebody was faster, and writes with it what the
   * step calls for. A step that gives back what it got writes nothing. Null: there is no such feature and the step
   * made none.
   */
  update(featureId: string, step: (ledger: Ledger | null) => Ledger | null): Promise<Ledger | null>;
  /** Takes what was done off the list of what is pending. Gives back the newest ledger. */
  done(featureId: string, effects: readonly Effect[]): Promise<Ledger | null>;
  /** The feature that has this task, or null. */
  featureOf(taskId: string): Promise<string | null>;
}

/** After so many looks at what is open the ended ones are looked at again: another replica may have opened one. */
const LOOKS = 100;

export function openLedgerStore(documents: Documents<Ledger>): LedgerStore {
  const ended = new Set<string>();
  let looks = 0;

  const note = (ledger: Ledger) => {
    if (hasEnded(ledger) && ledger.pending.length === 0) ended.add(ledger.feature.id);
    else ended.delete(ledger.feature.id);
  };

  const store: LedgerStore = {
    get: async (featureId) => (await documents.get(featureId))?.value ?? null,
    async open() {
      looks += 1;
      if (looks % LOOKS === 0) ended.clear();
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
      const newest = await documents.update(featureId, (before, version) => {
        const after = step(before);
        if (after === null || after === before) return before;
        const effects = effectsBetween(before, after, version);
        return { ...after, pending: [...after.pending, ...effects] };
      });
      if (newest !== null) note(newest);
      return newest;
    },
    async done(featureId, effects) {
      const done = new Set(effects.map(effectId));
      return store.update(featureId, (ledger) => {
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
