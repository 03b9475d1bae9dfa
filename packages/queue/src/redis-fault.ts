import { Fault } from "@agentswarm/contracts";

/** Answers of a server that is full, starting, failing over or cannot write its disk: all pass by themselves. */
const PASSING =
  /\b(OOM|LOADING|MISCONF|READONLY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|NOREPLICAS|BUSY|UNBLOCKED)\b/;
const CLOSED = /^Connection is closed\.?$/;
const RETRY_AFTER_MS = 2_000;

/**
 * What a handler threw, as a Fault. Trouble with Redis is retryable however deep in the handler it came up, so
 * that no message is given up on because of an outage.
 */
export function asFault(error: unknown): Fault {
  if (!(error instanceof Error) || error instanceof Fault) return Fault.from(error);
  const passing = error.name === "ReplyError" && PASSING.test(error.message);
  if (!passing && !CLOSED.test(error.message)) return Fault.from(error);
  return new Fault("redis.unavailable", error.message, {
    retryable: true,
    retryAfterMs: RETRY_AFTER_MS,
    cause: error,
  });
}

/** Whether the server refused a write because its memory is full. */
export function isOutOfMemory(error: unknown): boolean {
  return error instanceof Error && error.message.includes("OOM command not allowed");
}
