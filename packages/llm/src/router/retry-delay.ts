/** The tries of one call in all, over all backends. The queue retries whole jobs, so this number stays small. */
export const MAX_TRIES = 5;

const FIRST_DELAY_MS = 250;
const MAX_DELAY_MS = 60_000;
const JITTER_MS = 250;

/** Milliseconds before the next try. A backend's Retry-After is honoured, up to a minute. */
export function retryDelayMs(
  tries: number,
  retryAfter: string | null,
  now = Date.now(),
  random = Math.random(),
): number {
  const asked = retryAfterMs(retryAfter, now);
  // Jitter only adds to Retry-After: an earlier retry would be refused again.
  if (asked !== null) return Math.min(asked, MAX_DELAY_MS) + random * JITTER_MS;
  return Math.min(FIRST_DELAY_MS * 2 ** tries, MAX_DELAY_MS) * (0.5 + random / 2);
}

/** Milliseconds that a Retry-After header asks for, in seconds or as a date; null when it is missing or unreadable. */
export function retryAfterMs(retryAfter: string | null, now: number): number | null {
  if (retryAfter === null || retryAfter.trim() === "") return null;
  const seconds = Number(retryAfter);
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1_000);
  const date = Date.parse(retryAfter);
  return Number.isNaN(date) ? null : Math.max(0, date - now);
}
