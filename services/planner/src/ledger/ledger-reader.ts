import { Fault } from "@agentswarm/contracts";
import type { QueueConnection } from "@agentswarm/queue";
import { COMMIT } from "./ledger-scripts.ts";
import { NotRead, type Needs } from "./not-read.ts";
import { moveOlderLedger, olderLedgerIds, readOlderLedger } from "./older-ledger.ts";
import { readFacts, readLedger, viewOf, type Facts, type Reading, type View } from "./read-ledger.ts";
import { allLedgersKey, ledgerBase, openLedgersKey } from "./stored-ledger.ts";
import type { Writes } from "./writes-between.ts";

/** A record that fits no schema: of a task, or of a feature's head. */
export interface SetAside {
  readonly featureId: string;
  readonly taskId: string | null;
  readonly why: string;
}

/** Reads ledgers as far as decisions ask, and moves those that are still one document. */
export interface LedgerReader {
  /** The result of a decision on a ledger, of which it reads more whenever the decision asks for more. */
  decide<T>(
    featureId: string,
    how: { readonly about: readonly string[]; readonly batch: boolean },
    decision: (view: View, facts: Facts) => T,
  ): Promise<T>;
  /** Writes a step. Null: something that is compared has changed. */
  commit(featureId: string, writes: Writes): Promise<Facts | null>;
  /** Moves every ledger that is still one document. Those that cannot be read stay where they are. */
  moveAll(): Promise<void>;
}

/** Number of times that one decision may ask for more. Each step is bounded far below it. */
const READS = 1_000;
/** Number of times that a step is tried while others change what it has read. */
export const TRIES = 100;

export function openLedgerReader(
  connection: QueueConnection,
  onSetAside: (what: SetAside) => void,
): LedgerReader {
  /** Features whose document of an older version was read and fits no schema. */
  const unmovable = new Set<string>();

  const decide = async <T>(
    featureId: string,
    { about, batch }: { readonly about: readonly string[]; readonly batch: boolean },
    decision: (view: View, facts: Facts) => T,
  ): Promise<T> => {
    const asked = new Set(about);
    let reading = await readLedger(connection, featureId, { tasks: about }, { batch });
    if (reading.facts.document === null && (await move(featureId)))
      reading = await readLedger(connection, featureId, { tasks: about }, { batch });
    for (let reads = 0; reads < READS; reads += 1) {
      try {
        const view = viewOrReport(featureId, reading, asked);
        return decision(view, reading.facts);
      } catch (error) {
        if (!(error instanceof NotRead)) throw error;
        for (const id of error.needs.tasks ?? []) asked.add(id);
        const missing = missingOf(error.needs, reading);
        if (missing !== null) reading = await readLedger(connection, featureId, missing, { before: reading });
      }
    }
    throw new Fault("internal", `a decision on the ledger of ${featureId} asked for more ${READS} times`);
  };

  const viewOrReport = (featureId: string, reading: Reading, asked: ReadonlySet<string>): View => {
    try {
      const view = viewOf(featureId, reading, asked);
      for (const [taskId, why] of view.unreadable) onSetAside({ featureId, taskId, why });
      return view;
    } catch (error) {
      if (error instanceof Fault && !error.retryable)
        onSetAside({ featureId, taskId: null, why: error.message });
      throw error;
    }
  };

  /** Moves a ledger that is still one document. False: there is none. */
  const move = async (featureId: string): Promise<boolean> => {
    try {
      for (let tries = 0; tries < TRIES; tries += 1) {
        const older = await readOlderLedger(connection, featureId);
        if (older === null) return tries > 0;
        if ((await commit(featureId, moveOlderLedger(connection, older))) !== null) return true;
      }
    } catch (error) {
      if (error instanceof Fault && !error.retryable)
        onSetAside({ featureId, taskId: null, why: error.message });
      throw error;
    }
    throw keepsLosing(featureId);
  };

  const moveAll = async () => {
    for (const id of await olderLedgerIds(connection)) {
      if (unmovable.has(id)) continue;
      await move(id).catch((error: unknown) => {
        if (!(error instanceof Fault) || error.retryable) throw error;
        unmovable.add(id);
      });
    }
  };

  const commit = async (featureId: string, { compare, commands }: Writes): Promise<Facts | null> => {
    const keys = [ledgerBase(connection, featureId), allLedgersKey(connection), openLedgersKey(connection)];
    const reply = await connection.redis.eval(
      COMMIT,
      3,
      ...keys,
      JSON.stringify(compare),
      JSON.stringify(commands),
    );
    return reply === 0 ? null : readFacts(reply as Parameters<typeof readFacts>[0]);
  };

  return { decide, commit, moveAll };
}

/** What a decision asks for and was not read yet; null when all of it was read ahead. */
function missingOf(needs: Needs, reading: Reading): Needs | null {
  const tasks = needs.tasks?.filter((id) => !reading.tasks.has(id)) ?? [];
  const rest = (needs.lists ?? needs.signatures ?? needs.names ?? needs.landings) !== undefined;
  return tasks.length > 0 || rest ? { ...needs, tasks } : null;
}

export function keepsLosing(featureId: string): Fault {
  const why = `the ledger of ${featureId} was changed during each of ${TRIES} tries to write it`;
  return new Fault("conflict", why, { retryable: true });
}
