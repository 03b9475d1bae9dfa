import type { FaultOptions, FaultSource } from "./fault.ts";

/** Statuses by which a service refuses a credential, an unpaid account or a name that a setting holds. */
const OPERATOR: ReadonlySet<number> = new Set([401, 402, 403, 404, 407]);
const PASSING: ReadonlySet<number> = new Set([408, 409, 425, 429]);

/**
 * Where an HTTP error status comes from, and whether the same request may succeed later. `service` is the source of an
 * answer that is the service's own failure, such as `model` for a backend.
 */
export function classifyStatus(
  status: number,
  service: Extract<FaultSource, "origin" | "provider" | "model">,
): Required<Pick<FaultOptions, "source" | "retryable">> {
  if (OPERATOR.has(status)) return { source: "operator", retryable: true };
  return { source: service, retryable: PASSING.has(status) || status >= 500 };
}
