/** How often one call is tried in all, over all backends. The queue tries whole jobs again, so this stays small. */
export const TRIES = 5;

const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 60_000;
const JITTER_MS = 250;

/** Milliseconds to wait before the next try. What the backend asks for is honoured, up to a minute. */
export function waitMs(
  tries: number,
  retryAfter: string | null,
  now = Date.now(),
  random = Math.random(),
): number {
  const asked = retryAfterMs(retryAfter, now);
  // Jitter only ever adds to what was asked for: coming back early would be refused again.
  if (asked !== null) return Math.min(asked, LONGEST_WAIT_MS) + random * JITTER_MS;
  return Math.min(FIRST_WAIT_MS * 2 ** tries, LONGEST_WAIT_MS) * (0.5 + random / 2);
}

/** Retry-After holds seconds or a date. */
export function retryAfterMs(retryAfter: string | null, now: number): number | null {
  if (retryAfter === null || retryAfter.trim() === "") return null;
  const seconds = Number(retryAfter);
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1_000);
  const date = Date.parse(retryAfter);
  return Number.isNaN(date) ? null : Math.max(0, date - now);
}
