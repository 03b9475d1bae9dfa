import { Fault } from "@agentswarm/contracts";

/** A move of one ref of the origin. */
export interface RefMove {
  /** The full name, such as "refs/heads/main". */
  readonly ref: string;
  /** The commit that the ref must be at; null: the ref must not exist. */
  readonly from: string | null;
  /** A descendant of `from`. */
  readonly to: string;
}

/** The right to publish: a lease, or the lock of a job. */
export interface PublishRight {
  /** Aborted when the holder may no longer publish. */
  readonly lost: AbortSignal;
}

/**
 * Throws Fault `git.refused` when the right to publish is lost. The fault is retryable: the retry is made by the
 * process that holds the right then.
 */
export function refuseWithoutRight(ref: string, by: PublishRight): void {
  if (!by.lost.aborted) return;
  const reason = String(by.lost.reason);
  throw new Fault("git.refused", `${ref} is not pushed: the right to publish is lost (${reason})`, {
    retryable: true,
  });
}
