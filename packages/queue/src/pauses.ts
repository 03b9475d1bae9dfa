import {
  describePause,
  Fault,
  nameOfPause,
  pausedWorkSchema,
  type Pause,
  type PausedWork,
  type PauseScope,
} from "@agentswarm/contracts";
import { queueOf } from "./bull-side.ts";
import type { QueueConnection } from "./connect.ts";
import { openDocuments } from "./documents.ts";

/** What people or alarms have paused, from the planner to those who begin work and show it. */
export interface Pauses {
  /** Null while it goes on. */
  read(scope: PauseScope): Promise<Pause | null>;
  all(): Promise<PausedWork[]>;
  /** Notes a pause. What is paused already stays paused by the first who did it. Returns the pause that holds. */
  begin(scope: PauseScope, pause: Pause): Promise<Pause>;
  end(scope: PauseScope): Promise<void>;
  /** Throws Fault `work.paused`, which waits, while no attempt of this feature is to begin. */
  requireNone(featureId: string): Promise<void>;
}

/** A task that met a pause is looked at again after this time. */
const AGAIN_MS = 15_000;

export function openPauses(connection: QueueConnection): Pauses {
  const documents = openDocuments(connection, "pauses", pausedWorkSchema);
  const read = async (scope: PauseScope) => (await documents.get(nameOfPause(scope)))?.value.pause ?? null;
  return {
    read,
    all: async () => [...(await documents.all()).values()],
    async begin(scope, pause) {
      const held = await documents.update(nameOfPause(scope), (before) => before ?? { scope, pause });
      return held?.pause ?? pause;
    },
    end: (scope) => documents.delete(nameOfPause(scope)),
    async requireNone(featureId) {
      for (const scope of [{ kind: "swarm" }, { kind: "feature", featureId }] as const) {
        const pause = await read(scope);
        if (pause !== null)
          throw new Fault("work.paused", describePause(scope, pause), { retryAfterMs: AGAIN_MS });
      }
    },
  };
}

/** No consumer, in whichever process, takes a job of the queue from now on; those that run go on. */
export async function pauseTasks(connection: QueueConnection): Promise<void> {
  await queueOf(connection, "task").pause();
}

export async function resumeTasks(connection: QueueConnection): Promise<void> {
  await queueOf(connection, "task").resume();
}
