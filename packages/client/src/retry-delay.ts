import { ApiError, isTransient } from "./api-error.ts";

const BASE_MS = 250;
const MAX_MS = 10_000;

export interface RetryFacts {
  /** Retries so far. */
  readonly retries: number;
  readonly maxRetries: number;
  /** Until the deadline of the whole call. */
  readonly leftMs: number;
  /** From 0 up to 1; spreads clients that failed at the same time. */
  readonly random: number;
}

/** Exponential back-off with jitter, in milliseconds. */
export function backOffMs(retries: number, random: number): number {
  return Math.min(MAX_MS, BASE_MS * 2 ** retries) * (0.5 + random / 2);
}

/** How long to wait before the next try, at least Retry-After; null when the error is to be thrown. */
export function retryDelayMs(
  error: unknown,
  { retries, maxRetries, leftMs, random }: RetryFacts,
): number | null {
  if (!isTransient(error) || retries >= maxRetries) return null;
  const asked = error instanceof ApiError ? (error.retryAfterMs ?? 0) : 0;
  const delayMs = Math.max(asked, backOffMs(retries, random));
  return delayMs < leftMs ? delayMs : null;
}
