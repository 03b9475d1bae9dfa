import { Fault, type MergeOutcome, type MergeRequest } from "@agentswarm/contracts";
import type { JobContext } from "@agentswarm/queue";

/** One merge request on its way to an outcome. */
export interface Passenger {
  readonly request: MergeRequest;
  /** How often the merger ended while it had this one in a train. */
  readonly crashes: number;
  /** Notes that it is in a train now. */
  atWork(): Promise<void>;
  /** How often the trunk moved under it. */
  moves: number;
  settle(outcome: MergeOutcome): void;
  fail(fault: Fault): void;
}

/** How many may go together, by how often one of them was there when the merger ended; after that, one. */
const ROOM_AFTER_CRASHES = [Infinity, 10, 3];

/** What a request's job tells about it. */
export type JobOf = Pick<JobContext, "signal" | "crashes" | "atWork">;

/** Requests that wait for a train, in the order in which they came. */
export interface Passengers {
  readonly count: number;
  /** Resolves with the next one that comes. */
  arrival(): Promise<void>;
  /** Waits for its outcome. Rejects when aborted: whatever becomes of it then is told by the trunk. */
  add(request: MergeRequest, job: JobOf): Promise<MergeOutcome>;
  /**
   * Takes up to `most`, in order, but none of `busy` tasks and no task twice. One that a person approved goes alone, for
   * it may change the checks. Those that were in a train when the merger ended share ever smaller ones, so that the one
   * because of which it ends each time is alone before the others have used up what they are given.
   */
  take(most: number, busy: ReadonlySet<string>): Passenger[];
  /** Puts some back before all others. */
  putBack(passengers: readonly Passenger[]): void;
}

export function openPassengers(): Passengers {
  const waiting: Passenger[] = [];
  let next = Promise.withResolvers<void>();
  const announce = () => {
    next.resolve();
    next = Promise.withResolvers<void>();
  };
  return {
    get count() {
      return waiting.length;
    },
    arrival: () => next.promise,
    async add(request, { signal, crashes, atWork }) {
      signal.throwIfAborted();
      const { promise, resolve, reject } = Promise.withResolvers<MergeOutcome>();
      const passenger: Passenger = { request, crashes, atWork, moves: 0, settle: resolve, fail: reject };
      const onAbort = () => {
        const index = waiting.indexOf(passenger);
        if (index !== -1) waiting.splice(index, 1);
        reject(new Fault("internal", `the landing was given up: ${signal.reason}`, { retryable: true }));
      };
      signal.addEventListener("abort", onAbort, { once: true });
      waiting.push(passenger);
      announce();
      return promise.finally(() => signal.removeEventListener("abort", onAbort));
    },
    take(most, busy) {
      const taken: Passenger[] = [];
      const tasks = new Set(busy);
      let room = most;
      for (const passenger of waiting) {
        const { taskId, approvedBy } = passenger.request;
        if (tasks.has(taskId)) continue;
        const own = approvedBy === undefined ? (ROOM_AFTER_CRASHES[passenger.crashes] ?? 1) : 1;
        room = Math.min(room, own);
        if (taken.length >= room) break;
        tasks.add(taskId);
        taken.push(passenger);
      }
      for (const one of taken) waiting.splice(waiting.indexOf(one), 1);
      return taken;
    },
    putBack(passengers) {
      waiting.unshift(...passengers);
      announce();
    },
  };
}
