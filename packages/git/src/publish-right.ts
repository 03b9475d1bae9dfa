import { Fault } from "@agentswarm/contracts";

/** A move of one ref of the origin. */
export interface RefMove {
  /** The full name, such as "refs/heads/main". */
  readonly ref: string;
  /** The commit that the ref must be at; null: the ref must not exist. */
  readonly from: string | null;
  /** A descendant of `from`, unless `rebase` is set. */
  readonly to: string;
  /** For green alone, when the trunk was rewritten: `to` may be of another history than `from`. */
  readonly rebase?: boolean;
}

/** The right to publish: a lease, or the lock of a job. */
export interface PublishRight {
  /** Aborted when the holder may no longer publish. */
  readonly lost: AbortSignal;
}

/**
 * Throws Fault `git.refused` unless `by` may make this move. A ref only moves to a descendant, but for a rebase of green. A lost right is
 * retryable: the process that holds the right then makes the retry.
 */
export async function assertMayPublish(
  { ref, from, to, rebase = false }: RefMove,
  by: PublishRight,
  isAncestor: (ancestor: string, descendant: string) => Promise<boolean>,
): Promise<void> {
  if (from !== null && !rebase && !(await isAncestor(from, to))) {
    throw new Fault("git.refused", `${ref} only moves forward: ${to} does not descend from ${from}`);
  }
  if (by.lost.aborted) {
    const why = `the right to publish is lost (${String(by.lost.reason)})`;
    throw new Fault("git.refused", `${ref} is not pushed: ${why}`, { retryable: true });
  }
}
