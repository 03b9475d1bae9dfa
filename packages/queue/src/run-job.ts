import { DelayedError, UnrecoverableError, WaitingError, type Job } from "bullmq";
import {
  asFault,
  newTraceparent,
  Fault,
  traceparentSchema,
  type JobSignal,
  type MessageOf,
  type QueueName,
} from "@agentswarm/contracts";
import { traceOfMessage, withTrace } from "@agentswarm/contracts/node";
import { moveToDelayed } from "./clock.ts";
import type { QueueConnection } from "./connect.ts";
import { crashCount, JOB_CRASH_LIMIT } from "./crash-count.ts";
import { decideAfterFault } from "./decide-after-fault.ts";
import { unseal } from "./envelope.ts";
import { handBack } from "./hand-back.ts";
import type { RunningJob } from "./renew-locks.ts";
import { openRoom } from "./room.ts";
import { sendEvent } from "./send.ts";
import { openSignalInbox, type SignalInbox } from "./signal.ts";
import { subjectOfMessage } from "./subject-of-message.ts";
import { openWaiting } from "./waiting.ts";

export interface JobContext {
  readonly jobId: string;
  /** Aborted with reason "cancel" or "shutdown", or "lost" when another worker may have taken the job over. */
  readonly signal: AbortSignal;
  /** How often the process crashed while it worked on this job, before this start. */
  readonly crashes: number;
  /** From now on a crash of the process counts against this job; only with `waitsFirst`. */
  atWork(): Promise<void>;
  /** Notes that what the message is about goes on, when a fault had kept it waiting. */
  goesOn(): Promise<void>;
  /** Notes a fault for which the handler itself waits, instead of throwing it. */
  waitsFor(fault: Fault): Promise<void>;
  /** Calls the one listener for every signal (`signalJob`), also for those that came before it. */
  onSignal(listener: (signal: JobSignal) => void): void;
  /** Redis time at which the message was sent. */
  readonly sentAt: number;
  /** Adds a line to the job's log, shown in Bull Board. */
  log(line: string): Promise<void>;
}

/** Handles one message, in the trace of the message (`currentTrace`). */
export type Handler<Q extends QueueName> = (body: MessageOf<Q>, context: JobContext) => Promise<unknown>;

interface Run<Q extends QueueName> {
  readonly connection: QueueConnection;
  readonly queue: Q;
  readonly handler: Handler<Q>;
  readonly waitsFirst: boolean;
  /** Every job that runs here, by `<id> <token>`. */
  readonly running: Map<string, RunningJob>;
  /** Called for every job that becomes a dead letter. */
  readonly onDeadLetter: (fault: Fault, jobId: string) => void;
  /** Called for every fault for which a job is put back. */
  readonly onRetry: (fault: Fault) => void;
  /** Called when a job goes on after a fault, and when it ends. */
  readonly onProgress: () => void;
}

const NEWER_VERSION_DELAY_MS = 5_000;

/** Runs one job from its lock to its end: the only place that translates a Fault for BullMQ. */
export function runJob<Q extends QueueName>(run: Run<Q>) {
  const { connection, queue, handler, waitsFirst, running, onDeadLetter } = run;
  const crashes = crashCount(connection, queue);
  const waiting = openWaiting(connection);
  const room = openRoom();

  /** What a person has paused is no error: it shows as waiting. */
  const reportUnlessPaused = (fault: Fault): void => {
    if (fault.code !== "work.paused") connection.report(fault);
  };

  const putBack = async (job: Job, token: string | undefined, delayMs: number): Promise<never> => {
    await moveToDelayed(connection, job, token, delayMs);
    throw new DelayedError();
  };

  /**
   * An event that cannot be taken in is not announced: the announcement is an event too, which the same consumer could
   * not take in either, and so on without end. Such a dead letter is logged and counted with the failed jobs.
   */
  const announce = async (job: Job, fault: Fault): Promise<void> => {
    const jobId = job.id ?? "";
    const data = { queue, jobId, code: fault.code, message: fault.message.slice(0, 2_000) };
    const id = `dead-letter-${queue}-${jobId}-${job.attemptsStarted}`;
    const event = { id, type: "message.dead-lettered", data } as const;
    await sendEvent(connection, connection.service, event, traceOfMessage());
  };

  const deadLetter = async (job: Job, token: string | undefined, fault: Fault): Promise<never> => {
    const jobId = job.id ?? "";
    // The event comes first: when Redis refuses it, BullMQ repeats the whole, and no state is lost yet.
    if (queue !== "event") await announce(job, fault);
    await crashes.ended(jobId, token ?? "");
    onDeadLetter(fault, jobId);
    throw new UnrecoverableError(`${fault.code}: ${fault.message}`);
  };

  /** A cancelled job does not wait for room: its handler ends it. */
  const enter = (crashesBefore: number, signal: AbortSignal): Promise<Disposable | undefined> =>
    room.enter(crashesBefore, signal).catch((error: unknown) => {
      if (signal.reason !== "cancel") throw error;
      return undefined;
    });

  const handle = async (
    job: Job,
    token: string | undefined,
    signal: AbortSignal,
    inbox: SignalInbox,
  ): Promise<unknown> => {
    const jobId = job.id ?? "";
    const opened = unseal(queue, job.data);
    if (opened.kind === "newer-version") return putBack(job, token, NEWER_VERSION_DELAY_MS);
    if (opened.kind === "invalid") return deadLetter(job, token, new Fault("message.invalid", opened.why));
    const crashesBefore = await crashes.read(jobId);
    if (crashesBefore >= JOB_CRASH_LIMIT) {
      const why = `the service crashed ${JOB_CRASH_LIMIT} times while handling this job`;
      return deadLetter(job, token, new Fault("internal", why));
    }
    const lock = token ?? "";
    const atWork = () => crashes.started(jobId, lock);
    const subject = subjectOfMessage(queue, opened.body);
    const waitsFor = async (fault: Fault) => {
      if (subject !== null) await waiting.note(subject, fault).catch(connection.report);
    };
    let waited = job.attemptsStarted > 1;
    const goesOn = async () => {
      run.onProgress();
      if (!waited || subject === null) return;
      await waiting.hide(subject).catch(connection.report);
    };
    try {
      using _place = waitsFirst ? undefined : await enter(crashesBefore, signal);
      if (!waitsFirst) await atWork();
      const result = await handler(opened.body, {
        jobId,
        signal,
        crashes: crashesBefore,
        atWork,
        goesOn,
        waitsFor: async (fault) => {
          waited = true;
          reportUnlessPaused(fault);
          await waitsFor(fault);
        },
        onSignal: inbox.listen,
        sentAt: opened.sentAt,
        log: async (line) => {
          await job.log(line);
        },
      });
      run.onProgress();
      const forget = signal.reason === "lost" ? crashes.takenOver : crashes.ended;
      await forget(jobId, lock).catch(connection.report);
      if (waited && subject !== null) await waiting.clear(subject).catch(connection.report);
      return result;
    } catch (error) {
      const fault = asFault(error);
      const next = decideAfterFault(fault, { reason: signal.reason, started: job.attemptsStarted });
      if (next.kind === "release") {
        await crashes.takenOver(jobId, lock).catch(connection.report);
        throw new WaitingError();
      }
      if (next.kind === "dead-letter") return deadLetter(job, token, fault);
      await crashes.ended(jobId, lock);
      if (next.kind === "cancelled") throw new UnrecoverableError(`cancelled: ${fault.message}`);
      if (next.kind === "retry") {
        run.onRetry(fault);
        reportUnlessPaused(fault);
        await waitsFor(fault);
        return putBack(job, token, next.delayMs);
      }
      await handBack(connection, queue, job, token);
      throw new WaitingError();
    }
  };

  return async (job: Job, token: string | undefined, signal: AbortSignal): Promise<unknown> => {
    // With the token: an outdated run of the same job must not remove the entry of the run after it.
    const held = `${job.id} ${token}`;
    const lost = new AbortController();
    const inbox = openSignalInbox();
    const { deliver } = inbox;
    running.set(held, { id: job.id ?? "", token: token ?? "", lose: () => lost.abort("lost"), deliver });
    try {
      const signals = AbortSignal.any([signal, lost.signal]);
      return await withTrace(traceOf(job), () => handle(job, token, signals, inbox));
    } finally {
      running.delete(held);
    }
  };
}

/** The trace in which a job is handled; a message without a valid one starts a new trace. */
function traceOf(job: Job): string {
  const trace = traceparentSchema.safeParse((job.data as { trace?: unknown } | null)?.trace);
  return trace.success ? trace.data : newTraceparent();
}
