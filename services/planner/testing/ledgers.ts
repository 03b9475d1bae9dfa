import type { QueueConnection } from "@agentswarm/queue";
import type { LedgerStep } from "../src/ledger/apply-step.ts";
import type { Effect } from "../src/ledger/effect.ts";
import { openLedgerStore, type LedgerStore, type Written } from "../src/ledger/ledger-store.ts";
import type { SetAside } from "../src/ledger/ledger-reader.ts";
import type { Ledger } from "../src/ledger/ledger.ts";
import type { ReviewRoom } from "../src/ledger/reviews/review-room.ts";
import { RULES } from "./make-ledger.ts";

/** A store of ledgers whose effects are collected instead of carried out. */
export interface TestLedgers {
  readonly store: LedgerStore;
  readonly effects: Effect[];
  readonly setAside: SetAside[];
  /** Called before each write with the state of the budgets. */
  usedUp: Ledger["outOfBudget"];
  reviews: () => Promise<ReviewRoom | null>;
  /** A step with all its follow-ups. */
  step(featureId: string, step: LedgerStep, about?: readonly string[]): Promise<void>;
}

export function openTestLedgers(connection: QueueConnection): TestLedgers {
  const effects: Effect[] = [];
  const setAside: SetAside[] = [];
  const store = openLedgerStore({
    connection,
    usedUp: async () => ledgers.usedUp,
    reviews: () => ledgers.reviews(),
    rules: RULES,
    onWritten: () => undefined,
    onSetAside: (what) => {
      setAside.push(what);
    },
  });
  const ledgers: TestLedgers = {
    store,
    effects,
    setAside,
    usedUp: null,
    reviews: async () => null,
    async step(featureId, step, about = []) {
      let written: Written | null = await store.update(featureId, step, about);
      while (written !== null) {
        if (written.entry !== null) {
          effects.push(...written.entry.effects);
          await store.done(written.ledger, written.entry.name);
        }
        written = written.more ? await store.followUp(featureId) : null;
      }
    },
  };
  return ledgers;
}
