/** Codes of faults; each names the part that failed. */
export type FaultCode =
  | "config.invalid"
  | "message.invalid"
  | "redis.unavailable"
  | "redis.misconfigured"
  | "git.failed"
  | "git.refused"
  | "git.moved"
  | "origin.unreachable"
  | "registry.unreachable"
  | "sandbox.unavailable"
  | "sandbox.died"
  | "sandbox.refused"
  | "model.unavailable"
  | "model.refused"
  | "model.invalid"
  | "budget.reached"
  | "target.invalid"
  | "not-found"
  | "conflict"
  | "internal";

/** An unexpected failure. `retryable`: the same call may succeed later although nothing is changed. */
export class Fault extends Error {
  readonly code: FaultCode;
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;

  constructor(
    code: FaultCode,
    message: string,
    options: { retryable?: boolean; retryAfterMs?: number; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "Fault";
    this.code = code;
    this.retryable = options.retryable ?? false;
    this.retryAfterMs = options.retryAfterMs;
  }

  /** The fault itself, or anything else wrapped as `internal` and not retryable. */
  static from(error: unknown): Fault {
    if (error instanceof Fault) return error;
    const message = error instanceof Error ? error.message : String(error);
    return new Fault("internal", message, { cause: error });
  }
}
