/** Codes of faults; each names the part that failed. */
export type FaultCode =
  | "config.invalid"
  | "message.invalid"
  | "redis.unavailable"
  | "redis.misconfigured"
  | "disk.full"
  | "machine.failed"
  | "git.failed"
  | "git.refused"
  | "git.moved"
  | "origin.unreachable"
  | "origin.refused"
  | "registry.unreachable"
  | "sandbox.unavailable"
  | "sandbox.died"
  | "sandbox.refused"
  | "model.unavailable"
  | "model.refused"
  | "model.invalid"
  | "budget.reached"
  | "target.invalid"
  | "work.paused"
  | "not-found"
  | "conflict"
  | "internal";

/**
 * Where a failure comes from, and so who can end it. See docs/decisions/012-errors.md.
 *
 * - `machine`: this machine, or Redis on it. It passes by itself.
 * - `operator`: a setting, a credential, a full disk, the trunk's own files. The work waits until a person changes it.
 * - `origin`: the host of the target repository.
 * - `provider`: sandboxes, or a package registry.
 * - `model`: a backend.
 * - `agent`: what an attempt brought. It alone counts against a task.
 * - `bug`: everything that has no other source: an error in this program.
 */
export type FaultSource = "machine" | "operator" | "origin" | "provider" | "model" | "agent" | "bug";

/** The source of a fault whose thrower names none. */
const SOURCE: Readonly<Record<FaultCode, FaultSource>> = {
  "config.invalid": "operator",
  "message.invalid": "bug",
  "redis.unavailable": "machine",
  "redis.misconfigured": "operator",
  "disk.full": "operator",
  "machine.failed": "machine",
  "git.failed": "bug",
  "git.refused": "agent",
  "git.moved": "origin",
  "origin.unreachable": "origin",
  "origin.refused": "operator",
  "registry.unreachable": "provider",
  "sandbox.unavailable": "provider",
  "sandbox.died": "provider",
  "sandbox.refused": "operator",
  "model.unavailable": "model",
  "model.refused": "model",
  "model.invalid": "model",
  "budget.reached": "operator",
  "target.invalid": "operator",
  "work.paused": "operator",
  "not-found": "bug",
  conflict: "bug",
  internal: "bug",
};

/** Sources whose failures pass, or are ended by a person, without any change of the work that met them. */
const PASSING: ReadonlySet<FaultSource> = new Set(["machine", "operator", "origin", "provider"]);

export interface FaultOptions {
  /** Default: true for the sources machine, operator, origin and provider. */
  readonly retryable?: boolean;
  readonly retryAfterMs?: number | undefined;
  readonly cause?: unknown;
  /** Default: by the code. A retryable fault is never a bug or the agent's: then the default is machine. */
  readonly source?: FaultSource;
}

/** An unexpected failure. `retryable`: the same call may succeed later without any change of its input. */
export class Fault extends Error {
  readonly code: FaultCode;
  readonly source: FaultSource;
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;

  constructor(code: FaultCode, message: string, options: FaultOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "Fault";
    this.code = code;
    const source = options.source ?? SOURCE[code];
    const isPassing = options.retryable === true && (source === "bug" || source === "agent");
    this.source = isPassing ? "machine" : source;
    this.retryable = options.retryable ?? PASSING.has(this.source);
    this.retryAfterMs = options.retryAfterMs;
  }
}
