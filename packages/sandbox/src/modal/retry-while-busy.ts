import { setTimeout as sleep } from "node:timers/promises";
import { Fault } from "@agentswarm/contracts";

const INVALID_ARGUMENT = 3;
const PERMISSION_DENIED = 7;
const RESOURCE_EXHAUSTED = 8;
const UNAUTHENTICATED = 16;
/** Unknown, deadline exceeded, aborted, internal, unavailable: failures of the network or of the service. */
const TRANSIENT: readonly number[] = [2, 4, 10, 13, 14];

/** How long to retry a call while the service is at its limits. */
export interface BackOff {
  readonly firstMs: number;
  readonly longestMs: number;
  /** Limit of the sum of all waits. */
  readonly withinMs: number;
}

export const BACK_OFF: BackOff = { firstMs: 500, longestMs: 10_000, withinMs: 120_000 };

/** Returns the gRPC status of an error; null for an error that is not from gRPC. */
export function grpcStatus(error: unknown): number | null {
  const { code } = error as { code?: unknown };
  return typeof code === "number" ? code : null;
}

/** Whether Modal is at its limits, or the account has reached its quota. */
export function isBusy(error: unknown): boolean {
  if (grpcStatus(error) === RESOURCE_EXHAUSTED) return true;
  const { name, message } = error as { name?: unknown; message?: unknown };
  return name === "ResourceExhaustedError" || /status code 429|too many requests/i.test(String(message));
}

/** Returns the wait before the next try; null to give up. `random`, from 0 to 1, scatters the retries of several callers. */
export function nextDelay(tries: number, waitedMs: number, random: number, bounds: BackOff): number | null {
  const ceiling = Math.min(bounds.longestMs, bounds.firstMs * 2 ** tries);
  const delay = Math.round(ceiling / 2 + (ceiling / 2) * random);
  return waitedMs + delay > bounds.withinMs ? null : delay;
}

/**
 * Makes a call, and retries it while Modal is busy. Throws Fault `sandbox.unavailable` (retryable) when Modal stays busy
 * or cannot be reached, `config.invalid` when it refuses the token, `sandbox.refused` when it refuses the request; any
 * other error unchanged.
 */
export async function retryWhileBusy<T>(
  action: string,
  call: () => Promise<T>,
  bounds: BackOff = BACK_OFF,
): Promise<T> {
  let waitedMs = 0;
  for (let tries = 0; ; tries += 1) {
    try {
      return await call();
    } catch (error) {
      const delay = isBusy(error) ? nextDelay(tries, waitedMs, Math.random(), bounds) : null;
      if (delay === null) throw faultOf(action, error);
      waitedMs += delay;
      await sleep(delay);
    }
  }
}

function faultOf(action: string, error: unknown): unknown {
  const status = grpcStatus(error);
  const { name, message } = error as { name?: unknown; message?: unknown };
  const detail = `${action}: ${String(message ?? error)}`;
  if (status === UNAUTHENTICATED || status === PERMISSION_DENIED)
    return new Fault("config.invalid", `Modal refuses MODAL_TOKEN_ID and MODAL_TOKEN_SECRET (${detail})`, {
      cause: error,
    });
  if (status === INVALID_ARGUMENT || name === "InvalidError")
    return new Fault("sandbox.refused", `Modal refuses the request (${detail})`, { cause: error });
  const isTransient = (status !== null && TRANSIENT.includes(status)) || name === "TimeoutError";
  if (!isBusy(error) && !isTransient) return error;
  return new Fault("sandbox.unavailable", `Modal is at its limits or cannot be reached (${detail})`, {
    retryable: true,
    retryAfterMs: BACK_OFF.longestMs,
    cause: error,
  });
}
