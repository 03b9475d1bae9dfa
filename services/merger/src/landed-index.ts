import type { Mirror } from "@agentswarm/git";

/** A task and the commit by which it landed. */
interface LandedTask {
  readonly taskId: string;
  readonly commit: string;
}

/** The tasks that the trunk carries, read from the trunk and kept up to date, so that no task lands twice. */
export interface LandedIndex {
  /** The commit by which a task landed on the trunk at `head`, or null. */
  find(head: string, taskId: string): Promise<string | null>;
  /** Records all landings between two heads that were just published, which saves reading them again. */
  record(from: string, to: string, landings: readonly LandedTask[]): void;
  /** The number of known landings. */
  count(): number;
}

export function openLandedIndex(mirror: Mirror): LandedIndex {
  const known = new Map<string, string>();
  let upTo: string | undefined;
  return {
    async find(head, taskId) {
      if (upTo !== head) {
        // After a forced push or a rewind the tasks that the trunk has lost are not landed any more.
        if (upTo !== undefined && !(await mirror.isAncestor(upTo, head))) {
          known.clear();
          upTo = undefined;
        }
        for (const landing of await mirror.landings(head, upTo)) known.set(landing.taskId, landing.commit);
        upTo = head;
      }
      return known.get(taskId) ?? null;
    },
    record(from, to, landings) {
      // Commits between `upTo` and `from` were not read yet; the next `find` reads them.
      if (upTo !== from) return;
      for (const { taskId, commit } of landings) known.set(taskId, commit);
      upTo = to;
    },
    count: () => known.size,
  };
}
