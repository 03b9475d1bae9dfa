import { classifyStatus } from "@agentswarm/contracts";

/**
 * Why a backend refused a call:
 * - `overload` too many calls at once; the backend is healthy
 * - `outage` the backend failed
 * - `cold` a serverless endpoint whose first worker has not started yet
 * - `key`, `credit`, `model`, `address` what an operator has set or paid for; every call is refused until it is corrected
 * - `overflow` the prompt is longer than the context window; the agent must see this, because it can shorten the prompt
 * - `request` the request is invalid
 */
export type RefusalCause = "overload" | "outage" | "cold" | OperatorCause | "overflow" | "request";

/** The causes that last until a person changes a setting or the account of the backend. */
export type OperatorCause = "key" | "credit" | "model" | "address";

const OVERLOAD = new Set([429, 503, 529]);
const OUTAGE = new Set([408, 409, 425]);
const COLD = /no workers available/i;
const TOO_LONG = /context.{0,20}(length|window)|too many tokens|(prompt|input|request).{0,30}too long/i;
/** Some backends answer 429 or 400 when an account is empty. */
const NO_CREDIT =
  /insufficient[ _](quota|balance|credits?|funds)|credit balance is too low|out of credits?|余额不足/i;
const NO_MODEL =
  /\b(unknown|invalid|no such) model\b|not a valid model|\bmodel\b.{0,120}?\b(not found|does not exist|not exist)\b|模型不存在/is;
/** Modal answers so after 150 s, while a container is still loading. */
const STILL_LOADING = 303;

export function judgeRefusal(status: number, body: string): RefusalCause {
  if (status === 524 || status === STILL_LOADING || (status === 400 && COLD.test(body))) return "cold";
  if (status === 402 || ([400, 403, 429].includes(status) && NO_CREDIT.test(body))) return "credit";
  if (OVERLOAD.has(status)) return "overload";
  if (status >= 500 || OUTAGE.has(status)) return "outage";
  if ([400, 404, 422].includes(status) && NO_MODEL.test(body)) return "model";
  // Redirects are not followed, because the key must not be sent to another address.
  if (status === 404 || status === 405 || (status >= 300 && status < 400)) return "address";
  if (classifyStatus(status, "model").source === "operator") return "key";
  return status === 413 || TOO_LONG.test(body) ? "overflow" : "request";
}

/** Whether a retry of the same call may succeed without any change of settings. */
export function isTransient(cause: RefusalCause): boolean {
  return cause === "overload" || cause === "outage" || cause === "cold";
}

export function isOperatorCause(cause: RefusalCause): cause is OperatorCause {
  return cause === "key" || cause === "credit" || cause === "model" || cause === "address";
}
