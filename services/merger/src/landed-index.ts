import type { Landing, Mirror } from "@agentswarm/git";

/** Which tasks the trunk carries, read from the trunk itself and kept up as it grows. */
export interface LandedIndex {
  find(head: string, taskId: string): Promise<Landing | null>;
  /** How many landings the trunk has. */
  count(head: string): Promise<number>;
}

export function openLandedIndex(mirror: Mirror): LandedIndex {
  const known = new Map<string, Landing>();
  let upTo: string | undefined;
  const catchUp = async (head: string) => {
    if (upTo === head) return;
    for (const landing of await mirror.landings(head, upTo)) known.set(landing.taskId, landing);
    upTo = head;
  };
  return {
    async find(head, taskId) {
      await catchUp(head);
      return known.get(taskId) ?? null;
    },
    async count(head) {
      await catchUp(head);
      return known.size;
    },
  };
}
