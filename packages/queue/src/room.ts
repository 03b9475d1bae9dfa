/**
 * How many jobs of one queue may be at work in a process beside and with a job, by the job's crashes; 1 beyond the end.
 * One crash is mostly a kill from outside, after which all jobs are to go on at once. From the second crash on, a job that
 * kills its process meets ever fewer others, and it is alone before the others have used up their crash limit.
 */
const ROOM_AFTER_CRASHES = [Infinity, Infinity, 4];

/** Admits jobs to work, in the order in which they ask. */
export interface Room {
  /** Resolves when the job may begin; dispose of the result when it has ended. Rejects when `signal` is aborted first. */
  enter(crashes: number, signal: AbortSignal): Promise<Disposable>;
}

export function openRoom(): Room {
  const atWork = new Set<{ most: number }>();
  const waiting: { place: { most: number }; admit: () => void }[] = [];

  const fits = ({ most }: { most: number }): boolean => {
    const limit = Math.min(most, ...Array.from(atWork, (other) => other.most));
    return atWork.size < limit;
  };
  const admitNext = () => {
    for (let next = waiting[0]; next !== undefined && fits(next.place); next = waiting[0]) {
      waiting.shift();
      atWork.add(next.place);
      next.admit();
    }
  };

  return {
    async enter(crashes, signal) {
      signal.throwIfAborted();
      const place = { most: ROOM_AFTER_CRASHES[crashes] ?? 1 };
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const entry = { place, admit: resolve };
      const onAbort = () => {
        const index = waiting.indexOf(entry);
        if (index === -1) return;
        waiting.splice(index, 1);
        reject(new Error("aborted before the job began"));
        admitNext();
      };
      signal.addEventListener("abort", onAbort, { once: true });
      waiting.push(entry);
      admitNext();
      await promise.finally(() => signal.removeEventListener("abort", onAbort));
      return {
        [Symbol.dispose]() {
          atWork.delete(place);
          admitNext();
        },
      };
    },
  };
}
