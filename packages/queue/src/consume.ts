import { randomUUID } from "node:crypto";
import { DelayedError, QueueEvents, UnrecoverableError, WaitingError, Worker, type Job } from "bullmq";
import { Fault, type MessageOf, type QueueName } from "@agentswarm/contracts";
import type { QueueConnection } from "./connect.ts";
import { decideAfterFault } from "./decide-after-fault.ts";
import { unseal } from "./envelope.ts";
import { startFence } from "./fence.ts";
import { createSender } from "./send.ts";

export interface JobContext {
  readonly jobId: string;
  /** Aborted with reason "cancel" or "shutdown", or when another worker has taken the job over. */
  readonly signal: AbortSignal;
  /** How often this job was started, this time included. */
  readonly startedCount: number;
  /** Redis time at which it was sent. */
  readonly sentAt: number;
  readonly trace: string;
  /** Adds a line to the job's log, shown in Bull Board. */
  log(line: string): Promise<void>;
}

export type Handler<Q extends QueueName> = (body: MessageOf<Q>, context: JobContext) => Promise<unknown>;

export interface ConsumeOptions {
  /** Jobs at once in this process. 5 to 20 is fastest for short jobs. */
  readonly concurrency: number;
  /** Told about a job that is given up on, and about errors of the connection. */
  readonly onError?: (error: unknown) => void;
  /** For tests of lost locks only. */
  readonly lockDurationMs?: number;
  readonly stalledIntervalMs?: number;
}

export interface Consumer extends AsyncDisposable {
  readonly name: string;
  pause(): Promise<void>;
  resume(): void;
}

/** How often a job may take its worker down with it before it is given up on. */
const CRASH_BUDGET = 5;
const PUT_BACK_MS = 5_000;
const ERROR_EVERY_MS = 5_000;

/**
 * Handles a queue's jobs until disposed. A retryable Fault puts the job back with a growing wait and uses nothing
 * up; any other error buries it, visibly, with a `message.buried` event. On dispose no new job is taken, running
 * handlers get `shutdown`, and those that then throw are handed back.
 */
export async function consume<Q extends QueueName>(
  connection: QueueConnection,
  queue: Q,
  handler: Handler<Q>,
  options: ConsumeOptions,
): Promise<Consumer> {
  const name = `${connection.service}-${randomUUID()}`;
  const sender = createSender(connection, connection.service);
  const crashes = connection.key("crashes", queue);
  const report = rateLimited(options.onError ?? (() => undefined));

  const bury = async (job: Job, fault: Fault): Promise<never> => {
    const { id: jobId = "" } = job;
    await connection.redis.hdel(crashes, jobId);
    const id = `buried-${queue}-${jobId}-${job.attemptsStarted}`;
    const data = { queue, jobId, code: fault.code, message: fault.message.slice(0, 2_000) };
    await sender.event({ id, type: "message.buried", data });
    report(fault);
    throw new UnrecoverableError(`${fault.code}: ${fault.message}`);
  };

  const putBack = async (job: Job, token: string | undefined, waitMs: number): Promise<never> => {
    await job.moveToDelayed(Date.now() + waitMs, token);
    throw new DelayedError();
  };

  const process = async (job: Job, token?: string, signal?: AbortSignal): Promise<unknown> => {
    const { id: jobId = "" } = job;
    const abort = signal ?? new AbortController().signal;
    const opened = unseal(queue, job.data);
    if (opened.kind === "unknown-version") return putBack(job, token, PUT_BACK_MS);
    if (opened.kind === "invalid") return bury(job, new Fault("message.invalid", opened.why));

    const started = await connection.redis.hincrby(crashes, jobId, 1);
    if (started > CRASH_BUDGET) {
      return bury(job, new Fault("internal", `the service ended ${CRASH_BUDGET} times while handling this job`));
    }
    try {
      const result = await handler(opened.body, {
        jobId,
        signal: abort,
        startedCount: job.attemptsStarted,
        sentAt: opened.sentAt,
        trace: opened.trace,
        log: async (line) => {
          await job.log(line);
        },
      });
      await connection.redis.hdel(crashes, jobId);
      return result;
    } catch (error) {
      const fault = Fault.from(error);
      const next = decideAfterFault(fault, { aborted: abort.aborted, reason: abort.reason, started: job.attemptsStarted });
      if (next.kind === "bury") return bury(job, fault);
      await connection.redis.hdel(crashes, jobId);
      if (next.kind === "retry") {
        report(fault);
        return putBack(job, token, next.waitMs);
      }
      await job.moveToWait(token);
      throw new WaitingError();
    }
  };

  const worker = new Worker(queue, process, {
    connection: { url: connection.redisUrl },
    prefix: connection.prefix,
    name,
    concurrency: options.concurrency,
    maxStalledCount: 1_000,
    ...(options.lockDurationMs === undefined ? {} : { lockDuration: options.lockDurationMs }),
    ...(options.stalledIntervalMs === undefined ? {} : { stalledInterval: options.stalledIntervalMs }),
  });
  worker.on("error", report);
  worker.on("lockRenewalFailed", (jobIds: string[]) => {
    for (const jobId of jobIds) worker.cancelJob(jobId, "lost");
  });
  const cancels = new QueueEvents(queue, { connection: { url: connection.redisUrl }, prefix: connection.prefix });
  cancels.on("error", report);
  cancels.on("cancel" as "paused", (args: unknown) => {
    const { jobId } = args as { jobId: string };
    worker.cancelJob(jobId, "cancel");
  });
  await Promise.all([worker.waitUntilReady(), cancels.waitUntilReady()]);
  const stopFence = startFence(connection, queue, name, report);

  return {
    name,
    pause: () => worker.pause(true),
    resume: () => worker.resume(),
    async [Symbol.asyncDispose]() {
      stopFence();
      await worker.pause(true);
      worker.cancelAllJobs("shutdown");
      await Promise.all([worker.close(), cancels.close()]);
    },
  };
}

/** Lets one error through every few seconds: a full Redis makes a worker report thousands a second. */
function rateLimited(report: (error: unknown) => void): (error: unknown) => void {
  let last = 0;
  return (error) => {
    const now = Date.now();
    if (now - last < ERROR_EVERY_MS) return;
    last = now;
    report(error);
  };
}
