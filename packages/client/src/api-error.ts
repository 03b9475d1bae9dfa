import type { ProblemDetails } from "@agentswarm/contracts";

/** The api answered with a problem. */
export class ApiError extends Error {
  readonly status: number;
  /** `urn:agentswarm:<kind>`; `about:blank` when the answer was no problem+json. */
  readonly type: string;
  readonly title: string;
  readonly detail: string;
  /** The fields that do not fit, for invalid requests. */
  readonly errors: readonly { field: string; message: string }[];
  /** From the Retry-After header. */
  readonly retryAfterMs: number | undefined;

  constructor(problem: Omit<ProblemDetails, "instance">, retryAfterMs?: number) {
    super(problem.detail);
    this.name = "ApiError";
    this.status = problem.status;
    this.type = problem.type;
    this.title = problem.title;
    this.detail = problem.detail;
    this.errors = problem.errors ?? [];
    this.retryAfterMs = retryAfterMs;
  }
}

/** No api answers at the address. `kind` distinguishes a failed connection from a server that is not the api. */
export class Unreachable extends Error {
  readonly kind: "no-answer" | "not-the-api";

  constructor(kind: Unreachable["kind"], message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "Unreachable";
    this.kind = kind;
  }
}

const RETRYABLE_STATUS: ReadonlySet<number> = new Set([429, 503]);

/** Whether the same request may succeed later: the connection failed, or the api answered 429 or 503. */
export function isTransient(error: unknown): boolean {
  if (error instanceof Unreachable) return error.kind === "no-answer";
  return error instanceof ApiError && RETRYABLE_STATUS.has(error.status);
}
