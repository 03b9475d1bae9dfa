import { setTimeout as sleep } from "node:timers/promises";
import { Fault } from "@agentswarm/contracts";

const INVALID_ARGUMENT = 3;
const PERMISSION_DENIED = 7;
const RESOURCE_EXHAUSTED = 8;
const UNAUTHENTICATED = 16;
/** Unknown, deadline exceeded, aborted, internal, unavailable: trouble on the way or over there. */
const TROUBLE: readonly number[] = [2, 4, 10, 13, 14];

/** How long to go on asking a service that is at its limits. */
export interface BackOff {
  readonly firstMs: number;
  readonly longestMs: number;
  /** All waiting together. */
  readonly withinMs: number;
}

export const BACK_OFF: BackOff = { firstMs: 500, longestMs: 10_000, withinMs: 120_000 };

/** gRPC's number for what went wrong; null for what did not come over the wire. */
export function statusOf(error: unknown): number | null {
  const { code } = error as { code?: unknown };
  return typeof code === "number" ? code : null;
}

/** Whether Modal said that it has too much to do, or this account too much running. */
export function isBusy(error: unknown): boolean {
  if (statusOf(error) === RESOURCE_EXHAUSTED) return true;
  const { name, message } = error as { name?: unknown; message?: unknown };
  return name === "ResourceExhaustedError" || /status code 429|too many requests/i.test(String(message));
}

/** How long to wait before the next try, `null` to give up. `chance` is from 0 to 1: callers spread out by it. */
export function nextDelay(tries: number, waitedMs: number, chance: number, bounds: BackOff): number | null {
  const ceiling = Math.min(bounds.longestMs, bounds.firstMs * 2 ** tries);
  const delay = Math.round(ceiling / 2 + (ceiling / 2) * chance);
  return waitedMs + delay > bounds.withinMs ? null : delay;
}

/**
 * Makes a call, again and again while Modal is busy. Throws Fault `sandbox.unavailable` (retryable) when it stays so,
 * is away or in trouble, `config.invalid` when it refuses the token, and `sandbox.refused` when it refuses what was
 * asked; anything else as it is.
 */
export async function whenFree<T>(
  what: string,
  call: () => Promise<T>,
  bounds: BackOff = BACK_OFF,
): Promise<T> {
  let waitedMs = 0;
  for (let tries = 0; ; tries += 1) {
    try {
      return await call();
    } catch (error) {
      const delay = isBusy(error) ? nextDelay(tries, waitedMs, Math.random(), bounds) : null;
      if (delay === null) throw faultOf(what, error);
      waitedMs += delay;
      await sleep(delay);
    }
  }
}

function faultOf(what: string, error: unknown): unknown {
  const status = statusOf(error);
  const { name, message } = error as { name?: unknown; message?: unknown };
  const said = `${what}: ${String(message ?? error)}`;
  if (status === UNAUTHENTICATED || status === PERMISSION_DENIED)
    return new Fault("config.invalid", `Modal refuses MODAL_TOKEN_ID and MODAL_TOKEN_SECRET (${said})`, {
      cause: error,
    });
  if (status === INVALID_ARGUMENT || name === "InvalidError")
    return new Fault("sandbox.refused", `Modal refuses what was asked for (${said})`, { cause: error });
  const inTrouble = (status !== null && TROUBLE.includes(status)) || name === "TimeoutError";
  if (!isBusy(error) && !inTrouble) return error;
  return new Fault("sandbox.unavailable", `Modal has no room or is away (${said})`, {
    retryable: true,
    retryAfterMs: BACK_OFF.longestMs,
    cause: error,
  });
}
