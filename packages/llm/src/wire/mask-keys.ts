const MASK = "[redacted]";
/** Shorter values occur all over a text; the header's pattern still masks them. */
const SHORTEST_KEY = 6;
const HEADER = /\b(Bearer|Basic)(\s+|%20|\+)[^\s"'\\,;<>}]+/gi;
const NAMED =
  /((?:authorization|x-api-key|api[-_ ]?key)["'\\]*\s*[:=]\s*["'\\]*)(?!Bearer|Basic)[^\s"'\\,;<>}]{6,}/gi;
const PREFIXED = /\b(?:sk|rpa|pk|ak)[-_][\w-]{16,}/g;

/** Masks secrets in what a backend says. */
export interface KeyMask {
  text(text: string): string;
  /** The error with its message masked. */
  error(error: unknown): Error;
  /** The event itself unless it carries an error. */
  event(event: object): object;
}

/**
 * Masks the keys of all backends, as they are, percent-encoded and in base64, and whatever looks like the value of an
 * Authorization header. Backends repeat such headers in their errors, and errors reach sandboxes, events and the api.
 */
export function maskKeys(keys: readonly string[]): KeyMask {
  const secrets = [...new Set(keys)]
    .filter((key) => key.length >= SHORTEST_KEY)
    .flatMap((key) => [
      key,
      encodeURIComponent(key),
      JSON.stringify(key).slice(1, -1),
      Buffer.from(key).toString("base64").replace(/=+$/, ""),
      Buffer.from(key).toString("base64url"),
    ])
    .toSorted((a, b) => b.length - a.length);
  const text = (said: string) =>
    secrets
      .reduce((rest, secret) => rest.replaceAll(secret, MASK), said)
      .replaceAll(HEADER, `$1 ${MASK}`)
      .replaceAll(NAMED, `$1${MASK}`)
      .replaceAll(PREFIXED, MASK);
  return {
    text,
    error: (error) => new Error(text(error instanceof Error ? error.message : String(error))),
    event: (event) => ("error" in event ? { ...event, error: maskDeep(event.error, text) } : event),
  };
}

function maskDeep(value: unknown, text: (said: string) => string): unknown {
  if (typeof value === "string") return text(value).slice(0, MAX_ERROR_CHARS);
  if (typeof value !== "object" || value === null) return value;
  const masked = text(JSON.stringify(value)).slice(0, MAX_ERROR_CHARS);
  try {
    return JSON.parse(masked) as unknown;
  } catch {
    return { message: masked };
  }
}

/** The longest error of a backend that is passed on, in characters. */
export const MAX_ERROR_CHARS = 4_000;
