import { Fault, trunkStateSchema, type TrunkState } from "@agentswarm/contracts";
import type { QueueConnection } from "./connect.ts";
import { openDocuments } from "./documents.ts";

/** What the newest sweeps say, from the reconciler to those who send, run and show work. */
export interface TrunkStates {
  note(repoId: string, state: TrunkState): Promise<void>;
  /** Null before the first sweep. */
  read(repoId: string): Promise<TrunkState | null>;
  /** The newest state of each repository, by its id. */
  all(): Promise<Map<string, TrunkState>>;
  /** Throws Fault `target.invalid`, which waits, while nobody is to work on the trunk. */
  requireNoHold(repoId: string): Promise<void>;
}

export function openTrunkStates(connection: QueueConnection): TrunkStates {
  const documents = openDocuments(connection, "trunk", trunkStateSchema);
  const read = async (repoId: string) => (await documents.get(repoId))?.value ?? null;
  return {
    note: async (repoId, state) => void (await documents.update(repoId, () => state)),
    read,
    all: () => documents.all(),
    async requireNoHold(repoId) {
      const hold = (await read(repoId))?.hold ?? null;
      if (hold !== null) throw new Fault("target.invalid", hold);
    },
  };
}
