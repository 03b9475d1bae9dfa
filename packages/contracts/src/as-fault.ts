import { Fault } from "./fault.ts";

/**
 * Any error as a Fault: the one classification of errors. Knows the errors of the system (errno), also as the cause of
 * another error, the error replies of Redis, and deadlines. Everything else is `internal`: a bug.
 */
export function asFault(error: unknown): Fault {
  if (error instanceof Fault) return error;
  return redisFault(error) ?? systemFault(error) ?? deadlineFault(error) ?? bug(error);
}

const DISK = "free space on the disk of SWARM_HOME, or raise the quota; the work goes on by itself";
const RIGHTS = "let the user of the service read and write this path";
const FILES = "raise the limit of open files (ulimit -n)";

/** What a person can do about an error of the system that does not pass by itself. */
const OPERATOR: Readonly<Record<string, readonly ["disk.full" | "machine.failed", string]>> = {
  ENOSPC: ["disk.full", DISK],
  EDQUOT: ["disk.full", DISK],
  EROFS: ["machine.failed", "mount the disk of SWARM_HOME writable"],
  EACCES: ["machine.failed", RIGHTS],
  EPERM: ["machine.failed", RIGHTS],
  EMFILE: ["machine.failed", FILES],
  ENFILE: ["machine.failed", FILES],
};

/** Errors of the system that pass by themselves: too little of something for a moment, or the network. */
const PASSING: ReadonlySet<string> = new Set([
  "EAGAIN",
  "EBUSY",
  "EINTR",
  "EIO",
  "ENOMEM",
  "EPIPE",
  "ESTALE",
  "ETXTBSY",
  "EADDRNOTAVAIL",
  "EAI_AGAIN",
  "ECONNABORTED",
  "ECONNREFUSED",
  "ECONNRESET",
  "EHOSTDOWN",
  "EHOSTUNREACH",
  "ENETDOWN",
  "ENETUNREACH",
  "ENOTFOUND",
  "ETIMEDOUT",
  "UND_ERR_BODY_TIMEOUT",
  "UND_ERR_CONNECT_TIMEOUT",
  "UND_ERR_HEADERS_TIMEOUT",
  "UND_ERR_SOCKET",
]);

const CAUSES_FOLLOWED = 5;

function systemFault(error: unknown): Fault | null {
  const code = errnoOf(error);
  if (code === null) return null;
  const [faultCode, fix] = OPERATOR[code] ?? [];
  if (faultCode !== undefined)
    return new Fault(faultCode, `${messageOf(error)}: ${fix}`, { source: "operator", cause: error });
  return PASSING.has(code) ? new Fault("machine.failed", messageOf(error), { cause: error }) : null;
}

/** The error code of the system, of the error or of what caused it. */
function errnoOf(error: unknown): string | null {
  let at = error;
  for (let hops = 0; hops < CAUSES_FOLLOWED && at instanceof Error; hops += 1) {
    const { code } = at as NodeError;
    if (typeof code === "string" && (code in OPERATOR || PASSING.has(code))) return code;
    at = at instanceof AggregateError ? at.errors[0] : at.cause;
  }
  return null;
}

interface NodeError {
  readonly code?: unknown;
}

/** Error replies of a server that is full, starting, failing over or cannot write its disk. All of them pass. */
const TRANSIENT_REPLY =
  /\b(OOM|LOADING|MISCONF|READONLY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|NOREPLICAS|BUSY|UNBLOCKED)\b/;
const CLOSED = /^Connection is closed\.?$/;
const RIGHTS_REPLY = /\b(NOPERM|NOAUTH|WRONGPASS)\b/;
const RETRY_AFTER_MS = 2_000;

/** Whether the error is a refusal or a closed connection of Redis that passes without any change here: retry. */
export function isTransientRedisError(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const refusals = refusalsOf(error);
  if (refusals.length > 0) return refusals.every(isTransientRedisError);
  return (error.name === "ReplyError" && TRANSIENT_REPLY.test(error.message)) || CLOSED.test(error.message);
}

/** Why Redis discarded a transaction (EXECABORT): the refusals of its commands, as ioredis gives them. */
function refusalsOf(error: unknown): readonly unknown[] {
  const refusals = error instanceof Error && "previousErrors" in error ? error.previousErrors : [];
  return Array.isArray(refusals) ? refusals : [];
}

function redisFault(error: unknown): Fault | null {
  const [refusal] = refusalsOf(error);
  if (refusal !== undefined) return redisFault(refusal);
  if (isTransientRedisError(error))
    return new Fault("redis.unavailable", messageOf(error), { retryAfterMs: RETRY_AFTER_MS, cause: error });
  if (!(error instanceof Error) || error.name !== "ReplyError" || !RIGHTS_REPLY.test(error.message))
    return null;
  const fix = "REDIS_URL must name a Redis user with the rights of this service";
  return new Fault("redis.misconfigured", `${error.message}: ${fix}`, { cause: error });
}

/** A deadline of our own (`AbortSignal.timeout`). */
function deadlineFault(error: unknown): Fault | null {
  if (!(error instanceof Error) || error.name !== "TimeoutError") return null;
  return new Fault("machine.failed", error.message, { cause: error });
}

function bug(error: unknown): Fault {
  return new Fault("internal", messageOf(error), { cause: error });
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // The sum of several attempts to connect has no message of its own.
  if (error.message === "" && error instanceof AggregateError) return messageOf(error.errors[0]);
  return error.message;
}
