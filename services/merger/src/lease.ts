import { setTimeout as sleep } from "node:timers/promises";
import { asFault, repoScoped } from "@agentswarm/contracts";
import { acquireLease, type Lease, type QueueConnection } from "@agentswarm/queue";
import type { Logger } from "@agentswarm/service";

/** A holder that is known to be dead loses the lease at once; this time is for one that is cut off or far too slow. */
const LEASE_MS = 15_000;
const LEASE_RETRY_MS = 500;

/**
 * Waits for the right to land on a repository's trunk, and holds it until disposed. A lost lease stops the process, so
 * that at most one merger publishes. Rejects when `signal` is aborted first.
 */
export async function holdLease(
  connection: QueueConnection,
  repoId: string,
  log: Logger,
  signal: AbortSignal,
  /** Only tests need another value. */
  leaseMs = LEASE_MS,
): Promise<Lease> {
  const name = repoScoped("merger", repoId);
  for (let tries = 0; ; tries += 1) {
    const lease = await acquireLease(connection, name, leaseMs).catch((error: unknown) => {
      // A Redis that is full for a moment must not end a merger that only waits.
      if (!asFault(error).retryable) throw error;
      connection.report(error);
      return null;
    });
    if (lease !== null) {
      lease.lost.addEventListener("abort", () => {
        log.error({ repoId }, "lease lost; stopping, so that one merger at most publishes");
        process.kill(process.pid, "SIGTERM");
      });
      return lease;
    }
    if (tries === 0) log.info({ repoId }, "another merger holds the lease; waiting");
    await sleep(LEASE_RETRY_MS, undefined, { signal });
  }
}
