/**
 * Why a backend refused a call:
 * - `overload` too many calls at once; the backend is healthy
 * - `outage` the backend failed
 * - `cold` a serverless endpoint whose first worker has not started yet
 * - `foreign` the backend's own settings: its key, its balance, its model's name
 * - `overflow` the prompt is longer than the context window; the agent must see this, because it can shorten the prompt
 * - `request` the request is invalid
 */
export type RefusalCause = "overload" | "outage" | "cold" | "foreign" | "overflow" | "request";

const OVERLOAD = new Set([429, 503, 529]);
const OUTAGE = new Set([408, 409, 425]);
const FOREIGN = new Set([401, 402, 403, 404]);
const COLD = /no workers available/i;
const TOO_LONG = /context.{0,20}(length|window)|too many tokens|(prompt|input|request).{0,30}too long/i;

export function judgeRefusal(status: number, body: string): RefusalCause {
  if (status === 524 || (status === 400 && COLD.test(body))) return "cold";
  if (OVERLOAD.has(status)) return "overload";
  if (status >= 500 || OUTAGE.has(status)) return "outage";
  if (FOREIGN.has(status)) return "foreign";
  return status === 413 || TOO_LONG.test(body) ? "overflow" : "request";
}

/** Whether a retry of the same call may succeed without any change of settings. */
export function isTransient(cause: RefusalCause): boolean {
  return cause === "overload" || cause === "outage" || cause === "cold";
}
