import { DelayedError, UnrecoverableError, WaitingError, type Job } from "bullmq";
import {
  newTraceparent,
  Fault,
  traceparentSchema,
  type MessageOf,
  type QueueName,
} from "@agentswarm/contracts";
import { traceOfMessage, traceOfRun, withTrace } from "@agentswarm/contracts/node";
import type { QueueConnection } from "./connect.ts";
import { CRASH_BUDGET, crashBudget } from "./crash-budget.ts";
import { decideAfterFault } from "./decide-after-fault.ts";
import { unseal } from "./envelope.ts";
import { handBack } from "./hand-back.ts";
import { asFault } from "./redis-fault.ts";
import { sendEvent } from "./send.ts";

export interface JobContext {
  readonly jobId: string;
  /** Aborted with reason "cancel" or "shutdown", or "lost" when another worker may have taken the job over. */
  readonly signal: AbortSignal;
  /** How often this job was started, this time included. */
  readonly startedCount: number;
  /** How often the service ended while this job was at work, before this start. */
  readonly crashes: number;
  /** From here on an end of the service counts against this job; only with `waitsFirst`. */
  atWork(): Promise<void>;
  /** Redis time at which it was sent. */
  readonly sentAt: number;
  /** Adds a line to the job's log, shown in Bull Board. */
  log(line: string): Promise<void>;
}

export type Handler<Q extends QueueName> = (body: MessageOf<Q>, context: JobContext) => Promise<unknown>;

interface Run<Q extends QueueName> {
  readonly connection: QueueConnection;
  readonly queue: Q;
  readonly handler: Handler<Q>;
  readonly waitsFirst: boolean;
  /** Holds `<id> <token>` of every job at work here, for the fence. */
  readonly running: Set<string>;
  /** Told about every job that is given up on. */
  readonly onBuried: (fault: Fault, jobId: string) => void;
}

const PUT_BACK_MS = 5_000;

/** One job from its lock to its end: the only place where a Fault becomes what BullMQ understands. */
export function runJob<Q extends QueueName>(run: Run<Q>) {
  const { connection, queue, handler, waitsFirst, running, onBuried } = run;
  const budget = crashBudget(connection, queue);

  const putBack = async (job: Job, token: string | undefined, waitMs: number): Promise<never> => {
    await job.moveToDelayed(Date.now() + waitMs, token);
    throw new DelayedError();
  };

  const bury = async (job: Job, fault: Fault): Promise<never> => {
    const jobId = job.id ?? "";
    const data = { queue, jobId, code: fault.code, message: fault.message.slice(0, 2_000) };
    // First the event: when Redis refuses it the whole is done again, with nothing forgotten yet.
    const id = `buried-${queue}-${jobId}-${job.attemptsStarted}`;
    await sendEvent(
      connection,
      connection.service,
      { id, type: "message.dead-lettered", data },
      traceOfMessage(),
    );
    await budget.ended(jobId);
    onBuried(fault, jobId);
    throw new UnrecoverableError(`${fault.code}: ${fault.message}`);
  };

  const handle = async (job: Job, token: string | undefined, signal: AbortSignal): Promise<unknown> => {
    const jobId = job.id ?? "";
    const opened = unseal(queue, job.data);
    if (opened.kind === "unknown-version") return putBack(job, token, PUT_BACK_MS);
    if (opened.kind === "invalid") return bury(job, new Fault("message.invalid", opened.why));
    const crashes = await budget.count(jobId);
    if (crashes >= CRASH_BUDGET) {
      return bury(
        job,
        new Fault("internal", `the service ended ${CRASH_BUDGET} times while handling this job`),
      );
    }
    const atWork = async () => {
      await budget.started(jobId);
    };
    if (!waitsFirst) await atWork();
    try {
      const result = await handler(opened.body, {
        jobId,
        signal,
        startedCount: job.attemptsStarted,
        crashes,
        atWork,
        sentAt: opened.sentAt,
        log: async (line) => {
          await job.log(line);
        },
      });
      if (signal.reason !== "lost") await budget.ended(jobId).catch(connection.report);
      return result;
    } catch (error) {
      const fault = asFault(error);
      const next = decideAfterFault(fault, { reason: signal.reason, started: job.attemptsStarted });
      if (next.kind === "let-go") throw new WaitingError();
      if (next.kind === "bury") return bury(job, fault);
      await budget.ended(jobId);
      if (next.kind === "end") throw new UnrecoverableError(`cancelled: ${fault.message}`);
      if (next.kind === "retry") {
        connection.report(fault);
        return putBack(job, token, next.waitMs);
      }
      await handBack(connection, queue, job, token);
      throw new WaitingError();
    }
  };

  return async (job: Job, token: string | undefined, signal: AbortSignal): Promise<unknown> => {
    // With the token: a stale run of the same job must not end the entry of the one after it.
    const held = `${job.id} ${token}`;
    running.add(held);
    try {
      return await withTrace(traceOf(job), () => handle(job, token, signal));
    } finally {
      running.delete(held);
    }
  };
}

/** The trace in which a job is handled; a message without a valid one starts a new trace. */
function traceOf(job: Job): string {
  if (job.repeatJobKey !== undefined) return traceOfRun(job.id ?? "");
  const trace = traceparentSchema.safeParse((job.data as { trace?: unknown } | null)?.trace);
  return trace.success ? trace.data : newTraceparent();
}
