import type { Mirror } from "@agentswarm/git";

/** A landing, as far as one has to know to make none twice. */
export interface Landed {
  readonly taskId: string;
  readonly commit: string;
}

/** Which tasks the trunk carries, read from the trunk itself and kept up as it grows. */
export interface LandedIndex {
  /** The commit by which a task landed. */
  find(head: string, taskId: string): Promise<string | null>;
  /** What was published just now, so that it need not be read again: these landings, all between two heads. */
  note(from: string, to: string, landings: readonly Landed[]): void;
  /** How many landings are known. */
  count(): number;
}

export function openLandedIndex(mirror: Mirror): LandedIndex {
  const known = new Map<string, string>();
  let upTo: string | undefined;
  return {
    async find(head, taskId) {
      if (upTo !== head) {
        for (const landing of await mirror.landings(head, upTo)) known.set(landing.taskId, landing.commit);
        upTo = head;
      }
      return known.get(taskId) ?? null;
    },
    note(from, to, landings) {
      // Somebody else's commits in between have to be looked at first.
      if (upTo !== from) return;
      for (const { taskId, commit } of landings) known.set(taskId, commit);
      upTo = to;
    },
    count: () => known.size,
  };
}
