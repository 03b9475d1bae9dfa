import { jobSignalSchema, type JobSignal, type QueueName } from "@agentswarm/contracts";
import { BULL } from "./bull-side.ts";
import type { QueueConnection } from "./connect.ts";

/** The event of BullMQ's stream that carries a signal, and its field with the signal as JSON. */
export const SIGNAL_EVENT = "signal";

/**
 * Sends a signal to the handler of an active job, in whichever process it runs: `JobContext.onSignal`. A job that no worker
 * has now gets nothing, and a worker that is cut off from Redis may miss it, so the sender repeats what matters.
 */
export async function signalJob(
  connection: QueueConnection,
  queue: QueueName,
  jobId: string,
  signal: JobSignal,
): Promise<void> {
  const text = JSON.stringify(jobSignalSchema.parse(signal));
  await connection[BULL].producer(queue).publishEvent({ eventName: SIGNAL_EVENT, jobId, signal: text });
}

/** Parses the event of a signal; null for one that this version does not know. */
export function readSignal(args: unknown): { readonly jobId: string; readonly signal: JobSignal } | null {
  const { jobId, signal } = args as { jobId?: string; signal?: string };
  if (jobId === undefined || signal === undefined) return null;
  const parsed = jobSignalSchema.safeParse(parseJson(signal));
  return parsed.success ? { jobId, signal: parsed.data } : null;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The signals of one job: those that come before the handler listens are kept for it. */
export interface SignalInbox {
  deliver(signal: JobSignal): void;
  listen(listener: (signal: JobSignal) => void): void;
}

/** More signals than this before the handler listens are dropped, the newest first: their sender repeats them. */
const MAX_KEPT = 100;

export function openSignalInbox(): SignalInbox {
  const kept: JobSignal[] = [];
  let listening: ((signal: JobSignal) => void) | null = null;
  return {
    deliver(signal) {
      if (listening !== null) listening(signal);
      else if (kept.length < MAX_KEPT) kept.push(signal);
    },
    listen(listener) {
      listening = listener;
      for (const signal of kept.splice(0)) listener(signal);
    },
  };
}
