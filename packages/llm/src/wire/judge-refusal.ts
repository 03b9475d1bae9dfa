/**
 * What a refusal means:
 * - `overload` too much at once; the backend is well
 * - `outage` the backend's trouble
 * - `cold` a serverless endpoint whose first worker is not up yet
 * - `foreign` this backend's own settings: its key, its balance, its model's name
 * - `overflow` the context is too long, which must reach the agent, as that can shorten it
 * - `request` the request is wrong
 */
export type Refusal = "overload" | "outage" | "cold" | "foreign" | "overflow" | "request";

const OVERLOAD = new Set([429, 503, 529]);
const OUTAGE = new Set([408, 409, 425]);
const FOREIGN = new Set([401, 402, 403, 404]);
const COLD = /no workers available/i;
const TOO_LONG = /context.{0,20}(length|window)|too many tokens|(prompt|input|request).{0,30}too long/i;

export function judgeRefusal(status: number, body: string): Refusal {
  if (status === 524 || (status === 400 && COLD.test(body))) return "cold";
  if (OVERLOAD.has(status)) return "overload";
  if (status >= 500 || OUTAGE.has(status)) return "outage";
  if (FOREIGN.has(status)) return "foreign";
  return status === 413 || TOO_LONG.test(body) ? "overflow" : "request";
}

/** Whether the same call may be answered later without anybody changing anything. */
export function mayPass(refusal: Refusal): boolean {
  return refusal === "overload" || refusal === "outage" || refusal === "cold";
}
