import type { Worker } from "bullmq";
import type { JobSignal } from "@agentswarm/contracts";
import type { Report } from "./throttle-report.ts";

/** A job that a handler of this process works on. */
export interface RunningJob {
  readonly id: string;
  /** The value of its lock. */
  readonly token: string;
  /** Tells the handler that another worker may have taken the job over. */
  lose(): void;
  /** Passes a signal on to the handler. */
  deliver(signal: JobSignal): void;
}

/**
 * Renews the locks of all running jobs every third of `lockMs`. BullMQ's own renewal compares times of this machine's
 * clock: after the clock has gone back an hour it would renew nothing for an hour, and other workers would take all jobs
 * over. Returns a function that stops the renewal.
 */
export function renewLocks(options: {
  readonly worker: Pick<Worker, "extendJobLocks">;
  readonly running: ReadonlyMap<string, RunningJob>;
  readonly lockMs: number;
  readonly report: Report;
}): () => void {
  const { worker, running, lockMs, report } = options;
  let renewing = false;
  const renew = async () => {
    if (renewing || running.size === 0) return;
    renewing = true;
    try {
      const asked = [...running];
      const jobs = asked.map(([, job]) => job);
      const ids = jobs.map(({ id }) => id);
      const refused = await worker.extendJobLocks(
        ids,
        jobs.map(({ token }) => token),
        lockMs,
      );
      for (const [key, job] of asked) {
        // A job that has ended meanwhile has no lock either.
        if (refused.includes(job.id) && running.has(key)) job.lose();
      }
    } catch (error) {
      report(error);
    } finally {
      renewing = false;
    }
  };
  const timer = setInterval(() => void renew(), lockMs / 3);
  return () => clearInterval(timer);
}
