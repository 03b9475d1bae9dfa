import { z } from "zod";
import { summaryOf } from "./events-between.ts";
import { effectSchema, type Effect } from "./effect.ts";
import type { Ledger } from "./ledger.ts";

/** The effects of one step. */
export interface OutboxEntry {
  readonly name: string;
  readonly effects: readonly Effect[];
}

const entrySchema = z.object({ effects: z.array(effectSchema), summary: z.boolean() });

/** Text of an entry. The newest state of the feature is told when the entry is carried out, so only whether is kept. */
export function writeEntry(effects: readonly Effect[]): string {
  const entry: z.infer<typeof entrySchema> = {
    effects: effects.filter((effect) => !isSummary(effect)),
    summary: effects.some(isSummary),
  };
  return JSON.stringify(entry);
}

/** The entry of a step that was just written: `newest` is the ledger with the facts after it. */
export function entryOf(name: string, effects: readonly Effect[], newest: Ledger): OutboxEntry {
  const own = effects.filter((effect) => !isSummary(effect));
  return { name, effects: effects.some(isSummary) ? [...own, summaryEffect(newest)] : own };
}

/** Throws for a text that is no entry. */
export function readEntry(name: string, text: string, newest: Ledger): OutboxEntry {
  const { effects, summary } = entrySchema.parse(JSON.parse(text));
  return { name, effects: summary ? [...effects, summaryEffect(newest)] : effects };
}

function isSummary(effect: Effect): boolean {
  return effect.kind === "emit" && effect.event.type === "feature.changed";
}

/**
 * The state of a feature with its sums and counts at one moment. Steps that change different tasks are written side by
 * side, so none of them alone knows the counts after it; the ledger's revision orders these events.
 */
function summaryEffect(ledger: Ledger): Effect {
  const { id: featureId, repoId } = ledger.feature;
  const ledgerVersion = ledger.rest?.revision ?? 0;
  const id = `feature-changed-${featureId}-${ledgerVersion}`;
  const data = summaryOf(ledger);
  return { kind: "emit", event: { id, type: "feature.changed", repoId, featureId, ledgerVersion, data } };
}
