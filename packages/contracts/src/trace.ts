import { z } from "zod";

/**
 * The W3C trace context of one unit of work: `00-<trace id>-<span id>-<flags>`. All messages, events and log lines
 * that one request causes share the trace id.
 */
export const traceparentSchema = z
  .string()
  .regex(
    /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/,
    "not a W3C traceparent of version 00",
  )
  .describe("W3C traceparent");

/** The 32 hexadecimal digits that all spans of a trace share; null when the text is not a traceparent. */
export function traceIdOf(traceparent: string): string | null {
  return traceparentSchema.safeParse(traceparent).success ? traceparent.slice(3, 35) : null;
}

/** A traceparent that starts a new trace. */
export function newTraceparent(): string {
  return `00-${randomHex(16)}-${randomHex(8)}-01`;
}

/** The same trace with a new span id. What is not a traceparent starts a new trace. */
export function childTraceparent(parent: string): string {
  const traceId = traceIdOf(parent);
  return traceId === null ? newTraceparent() : `00-${traceId}-${randomHex(8)}-${parent.slice(-2)}`;
}

function randomHex(bytes: number): string {
  const random = globalThis.crypto.getRandomValues(new Uint8Array(bytes));
  // An id of zeros only is invalid; the chance of one is negligible, and setting one bit rules it out.
  random[0] = (random[0] ?? 0) | 1;
  return Array.from(random, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
