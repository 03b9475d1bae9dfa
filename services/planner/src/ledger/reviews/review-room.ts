import { isTrunkHealth, type ReviewSettings, type Task } from "@agentswarm/contracts";
import { mayMeet } from "./may-meet.ts";
import type { TaskRecord } from "../task-record.ts";

/** How many more landings people may be asked about, and which tasks' landings they will be. */
export interface ReviewRoom {
  /** OPEN_REVIEWS less the landings that wait for a person, and less the tasks under way whose landings will. */
  readonly left: number;
  /** Changes whenever tasks take of the room: a step that takes some is written only if it has not changed since. */
  readonly turn: string;
  /** Why tasks wait when nothing is left, with what to do. */
  readonly why: string;
  /** What people look at in each repository; of one that is missing here they look at everything. */
  readonly rules: ReadonlyMap<string, ReviewSettings | "all">;
}

/**
 * Whether a person will be asked about the landing of a task, as far as it is known before it is sent: by its kind and its
 * scope. How much it will change is not known, so rules of size count for nothing here.
 */
export function willAsk({ rules }: ReviewRoom, { kind, scope, repoId, featureId }: Task): boolean {
  // A red trunk stops everything, and a revert was asked for by a person.
  if (isTrunkHealth(featureId) || kind === "revert") return false;
  const found = rules.get(repoId) ?? "all";
  if (found === "all" || found.kinds.includes(kind)) return true;
  if (found.paths.length === 0) return false;
  return scope.length === 0 || found.paths.some((path) => scope.some((one) => mayMeet(one, path)));
}

/** Whether a task is under way to a landing that nobody has approved yet. */
export function isAhead({ status, approvedBy }: Pick<TaskRecord, "status" | "approvedBy">): boolean {
  return status === "sent" && approvedBy === null;
}

/** Gives out the room to the tasks that one step sends. */
export interface ReviewSlots {
  /** Whether the task may be sent; it takes one of the slots that are left. */
  take(task: Task): boolean;
  /** Whether a task was held back. */
  refused(): boolean;
  /** Whether another task could be sent. */
  hasRoom(): boolean;
}

/** `room` null: there is no bound. */
export function openReviewSlots(room: ReviewRoom | null): ReviewSlots {
  let left = room?.left ?? Number.POSITIVE_INFINITY;
  let held = false;
  return {
    take(task) {
      if (room === null || !willAsk(room, task)) return true;
      if (left <= 0) {
        held = true;
        return false;
      }
      left -= 1;
      return true;
    },
    refused: () => held,
    hasRoom: () => left > 0,
  };
}
