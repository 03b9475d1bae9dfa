import { Fault } from "@agentswarm/contracts";
import type { Documents } from "@agentswarm/queue";
import type { Ledger } from "./ledger.ts";

/** One step of a ledger. */
export interface Change {
  readonly before: Ledger | null;
  readonly after: Ledger;
  /** The version after the step; the same as before when nothing changed. */
  readonly version: number;
  readonly changed: boolean;
}

export interface LedgerStore {
  get(featureId: string): Promise<Ledger | null>;
  all(): Promise<Ledger[]>;
  /**
   * Carries out a pure step on the newest ledger; done again when somebody was faster. A step that gives back what
   * it got writes nothing. Null: there is no such feature and the step made none.
   */
  update(featureId: string, step: (ledger: Ledger | null) => Ledger | null): Promise<Change | null>;
  /** The feature that has this task, or null. */
  featureOf(taskId: string): Promise<string | null>;
}

const TRIES = 100;

export function openLedgerStore(documents: Documents<Ledger>): LedgerStore {
  return {
    get: async (featureId) => (await documents.get(featureId))?.value ?? null,
    all: async () => [...(await documents.all()).values()],
    async update(featureId, step) {
      for (let tries = 0; tries < TRIES; tries += 1) {
        const found = await documents.get(featureId);
        const before = found?.value ?? null;
        const version = found?.version ?? 0;
        const after = step(before);
        if (after === null) return null;
        if (after === before) return { before, after, version, changed: false };
        if (await documents.compareAndSet(featureId, version, after)) {
          return { before, after, version: version + 1, changed: true };
        }
      }
      throw new Fault("conflict", `the ledger of ${featureId} changed ${TRIES} times meanwhile`, {
        retryable: true,
      });
    },
    async featureOf(taskId) {
      for (const [featureId, ledger] of await documents.all()) {
        if (ledger.tasks.some((record) => record.task.id === taskId)) return featureId;
      }
      return null;
    },
  };
}
