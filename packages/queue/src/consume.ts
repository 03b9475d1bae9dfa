import { QueueEvents, Worker } from "bullmq";
import type { Fault, QueueName } from "@agentswarm/contracts";
import { BULL } from "./bull-side.ts";
import { bullDelay, startClock } from "./clock.ts";
import { REDIS_TIME_BACKOFF, type QueueConnection } from "./connect.ts";
import { startFence } from "./fence.ts";
import { pauseWhenBlocked } from "./pause-when-blocked.ts";
import { pauseWhenFull } from "./pause-when-full.ts";
import { renewLocks, type RunningJob } from "./renew-locks.ts";
import { runJob, type Handler } from "./run-job.ts";
import { readSignal, SIGNAL_EVENT } from "./signal.ts";
import { throttleReport, type Report } from "./throttle-report.ts";

export interface ConsumeOptions {
  /** Jobs at once in this process. 5 to 20 is fastest for short jobs. */
  readonly concurrency: number;
  /**
   * Jobs wait for each other in the handler, which calls `atWork()` when it begins with one. Only from then on a crash
   * counts against the job; otherwise one bad job would make dead letters of all jobs that wait beside it.
   */
  readonly waitsFirst?: boolean;
  /** Jobs in a row with the same passing fault after which no job is taken for a while; by default this is not done. */
  readonly pauseAfterFaults?: number;
  /** Gets, rate-limited, the connection's errors; by default the connection's own `report`. */
  readonly onError?: Report;
  /** Called for every job that becomes a dead letter; by default `onError`. */
  readonly onDeadLetter?: (fault: Fault, jobId: string) => void;
  /** Milliseconds for which a worker keeps a job whose lock it does not renew; only tests need another value. */
  readonly lockDurationMs?: number;
  readonly stalledIntervalMs?: number;
}

export interface Consumer extends AsyncDisposable {
  readonly name: string;
}

const LOCK_MS = 30_000;
/** For failures outside of the handler. */
const BACKOFF_MS = 1_000;
/** Distinguishes the consumers of one connection. */
let consumers = 0;

/**
 * Handles a queue's jobs until disposed. A retryable Fault puts the job back with a growing delay and uses no attempt.
 * Any other error makes it a dead letter: the job fails and a `message.dead-lettered` event is sent, except for a job of
 * the `event` queue itself. A job during which the process crashed five times becomes a dead letter too. On dispose no new job is taken, running handlers are aborted
 * with `shutdown`, and jobs whose handlers then throw go back to the queue.
 */
export async function consume<Q extends QueueName>(
  connection: QueueConnection,
  queue: Q,
  handler: Handler<Q>,
  options: ConsumeOptions,
): Promise<Consumer> {
  consumers += 1;
  const name = `${connection.id}/${consumers}`;
  const lockMs = options.lockDurationMs ?? LOCK_MS;
  const report = options.onError === undefined ? connection.report : throttleReport(options.onError);
  const onDeadLetter =
    options.onDeadLetter ?? ((fault: Fault) => (options.onError ?? connection.report)(fault));
  const stopping = new AbortController();
  const running = new Map<string, RunningJob>();
  const run = runJob({
    connection: { ...connection, report },
    queue,
    handler,
    waitsFirst: options.waitsFirst ?? false,
    running,
    onDeadLetter,
    onRetry: (fault) => blocking?.met(fault),
    onProgress: () => blocking?.wentOn(),
  });

  const worker = new Worker(
    queue,
    // BullMQ passes a signal only to processors that declare three parameters.
    (job, token, signal) =>
      run(job, token, signal ? AbortSignal.any([signal, stopping.signal]) : stopping.signal),
    {
      ...connection[BULL].options,
      name,
      concurrency: options.concurrency,
      // `crashCount` counts crashes; BullMQ's own count would fail a job at the second crash.
      maxStalledCount: 1_000,
      lockDuration: lockMs,
      skipLockRenewal: true,
      stalledInterval: options.stalledIntervalMs ?? LOCK_MS,
      settings: {
        backoffStrategy: (_attempts, type) =>
          type === REDIS_TIME_BACKOFF ? bullDelay(connection, BACKOFF_MS) : BACKOFF_MS,
      },
    },
  );
  const pausing = pauseWhenFull(connection, worker);
  const { pauseAfterFaults, concurrency } = options;
  const blocking =
    pauseAfterFaults === undefined
      ? null
      : pauseWhenBlocked(worker, { faults: pauseAfterFaults, tries: concurrency, report });
  worker.on("error", (error) => {
    pausing.onWorkerError(error);
    report(error);
  });
  const events = new QueueEvents(queue, connection[BULL].options);
  events.on("error", report);
  events.on("cancel" as "paused", (args: unknown) => {
    const { jobId } = args as { jobId: string };
    worker.cancelJob(jobId, "cancel");
  });
  events.on(SIGNAL_EVENT as "paused", (args: unknown) => {
    const read = readSignal(args);
    for (const job of running.values()) if (job.id === read?.jobId) job.deliver(read.signal);
  });
  await Promise.all([worker.waitUntilReady(), events.waitUntilReady()]);
  const stopRenewal = renewLocks({ worker, running, lockMs, report });
  const stops = [
    startFence(connection, { queue, ownName: name, running, report }),
    startClock(connection, queue, report),
  ];

  return {
    name,
    async [Symbol.asyncDispose]() {
      for (const stop of stops) stop();
      pausing.stop();
      blocking?.stop();
      await worker.pause(true);
      stopping.abort("shutdown");
      await Promise.all([worker.close(), events.close()]);
      stopRenewal();
    },
  };
}
