import { Fault } from "@agentswarm/contracts";

/** Error replies of a server that is full, starting, failing over or cannot write its disk. All of them pass. */
const TRANSIENT_REPLY =
  /\b(OOM|LOADING|MISCONF|READONLY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|NOREPLICAS|BUSY|UNBLOCKED)\b/;
const CLOSED = /^Connection is closed\.?$/;
const RETRY_AFTER_MS = 2_000;

/** Whether the error is a refusal or a closed connection of Redis that passes without any change here: retry. */
export function isTransientRedisError(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return (error.name === "ReplyError" && TRANSIENT_REPLY.test(error.message)) || CLOSED.test(error.message);
}

/**
 * What a handler threw, as a Fault. A transient error of Redis is retryable wherever in the handler it was thrown, so
 * that an outage makes no dead letters.
 */
export function asFault(error: unknown): Fault {
  if (!isTransientRedisError(error)) return Fault.from(error);
  return new Fault("redis.unavailable", (error as Error).message, {
    retryable: true,
    retryAfterMs: RETRY_AFTER_MS,
    cause: error,
  });
}

/** Whether the server refused a write because its memory is full. */
export function isOutOfMemory(error: unknown): boolean {
  return error instanceof Error && error.message.includes("OOM command not allowed");
}
