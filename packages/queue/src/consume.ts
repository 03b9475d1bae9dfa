import { randomUUID } from "node:crypto";
import { QueueEvents, Worker } from "bullmq";
import type { Fault, QueueName } from "@agentswarm/contracts";
import type { QueueConnection } from "./connect.ts";
import { startFence } from "./fence.ts";
import { pauseWhenFull } from "./pause-when-full.ts";
import { reportSeldom, type Report } from "./report-seldom.ts";
import { runJob, type Handler } from "./run-job.ts";

export interface ConsumeOptions {
  /** Jobs at once in this process. 5 to 20 is fastest for short jobs. */
  readonly concurrency: number;
  /**
   * Jobs wait for each other in the handler, which says by `atWork()` when it begins with one: only then does a crash
   * count against it, or one bad job would bury all that happened to wait beside it.
   */
  readonly waitsFirst?: boolean;
  /** Told, rate-limited, about what goes wrong with the connection; the connection's own report otherwise. */
  readonly onError?: Report;
  /** Told about every job that is given up on; `onError` otherwise. */
  readonly onBuried?: (fault: Fault, jobId: string) => void;
  /** How long a job stays with a worker that does not renew its hold; only tests should need another value. */
  readonly lockDurationMs?: number;
  readonly stalledIntervalMs?: number;
}

export interface Consumer extends AsyncDisposable {
  readonly name: string;
}

const LOCK_MS = 30_000;

/**
 * Handles a queue's jobs until disposed. A retryable Fault puts the job back with a growing wait and uses nothing
 * up; any other error buries it, visibly, with a `message.buried` event, and so does a job whose worker died five
 * times over it. On dispose no new job is taken, running handlers get `shutdown`, and those that then throw are
 * handed back.
 */
export async function consume<Q extends QueueName>(
  connection: QueueConnection,
  queue: Q,
  handler: Handler<Q>,
  options: ConsumeOptions,
): Promise<Consumer> {
  const name = `${connection.service}-${randomUUID()}`;
  const report = options.onError === undefined ? connection.report : reportSeldom(options.onError);
  const onBuried = options.onBuried ?? ((fault: Fault) => (options.onError ?? connection.report)(fault));
  const stopping = new AbortController();
  const running = new Set<string>();
  const run = runJob({
    connection: { ...connection, report },
    queue,
    handler,
    waitsFirst: options.waitsFirst ?? false,
    running,
    onBuried,
  });

  const worker = new Worker(
    queue,
    // BullMQ hands over a signal only to processors that declare three parameters.
    (job, token, signal) =>
      run(job, token, signal ? AbortSignal.any([signal, stopping.signal]) : stopping.signal),
    {
      ...connection.bull,
      name,
      concurrency: options.concurrency,
      // Crashes are counted by the crash budget; BullMQ's own count would bury a job at the second one.
      maxStalledCount: 1_000,
      lockDuration: options.lockDurationMs ?? LOCK_MS,
      stalledInterval: options.stalledIntervalMs ?? LOCK_MS,
    },
  );
  const pausing = pauseWhenFull(connection, worker);
  worker.on("error", (error) => {
    pausing.saw(error);
    report(error);
  });
  worker.on("lockRenewalFailed", (jobIds: string[]) => {
    for (const jobId of jobIds) worker.cancelJob(jobId, "lost");
  });
  const cancels = new QueueEvents(queue, connection.bull);
  cancels.on("error", report);
  cancels.on("cancel" as "paused", (args: unknown) => {
    const { jobId } = args as { jobId: string };
    worker.cancelJob(jobId, "cancel");
  });
  await Promise.all([worker.waitUntilReady(), cancels.waitUntilReady()]);
  const stopFence = startFence(connection, { queue, ownName: name, running, report });

  return {
    name,
    async [Symbol.asyncDispose]() {
      stopFence();
      pausing.stop();
      await worker.pause(true);
      stopping.abort("shutdown");
      await Promise.all([worker.close(), cancels.close()]);
    },
  };
}
