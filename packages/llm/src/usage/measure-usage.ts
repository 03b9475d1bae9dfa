import type { Prices } from "../backends/models.ts";
import { priceOf, type Usage } from "./usage.ts";

/** The facts that a usage is estimated from where the backend reports none. */
export interface UsageEstimate {
  readonly tokensIn: number;
  readonly tokensOut: number;
  /** The share of the prompt, 0 to 1, that came from the backend's cache in comparable calls. */
  readonly cachedShare?: number;
}

/** More tokens than any model takes in one call. A number above it is not a count. */
const MAX_TOKENS = 10_000_000;

/**
 * The usage of a call: each count that `reported` (the `usage` of a chat completion) has and that can be right, else
 * the estimate. What a backend reports is untrusted: missing, fractional, negative, endless or not a number.
 */
export function measureUsage(reported: unknown, estimate: () => UsageEstimate, prices: Prices): Usage {
  const usage = recordOf(reported);
  const [saidIn, saidOut] = [countOf(usage["prompt_tokens"]), countOf(usage["completion_tokens"])];
  // Without a prompt there is no call, so 0 means that the backend did not count.
  const guess = saidIn === null || saidIn === 0 || saidOut === null || saidOut === 0 ? estimate() : null;
  const tokensIn = saidIn || (guess?.tokensIn ?? 0);
  const tokensOut = saidOut || (guess?.tokensOut ?? 0);
  const cached = saidIn ? cachedOf(usage) : Math.floor(tokensIn * (guess?.cachedShare ?? 0));
  const tokens = { tokensIn, tokensOut, tokensCached: Math.min(cached, tokensIn) };
  const estimated = tokensIn !== saidIn || tokensOut !== (saidOut ?? -1);
  return { ...tokens, costUsd: priceOf(tokens, prices), estimated };
}

/** OpenAI's name for the cached part of the prompt, DeepSeek's, and Moonshot's. */
function cachedOf(usage: Record<string, unknown>): number {
  const details = recordOf(usage["prompt_tokens_details"]);
  return (
    countOf(details["cached_tokens"]) ??
    countOf(usage["prompt_cache_hit_tokens"]) ??
    countOf(usage["cached_tokens"]) ??
    0
  );
}

/** A whole number of tokens, or null when the value cannot be one. */
function countOf(value: unknown): number | null {
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  if (typeof number !== "number" || !(number >= 0 && number <= MAX_TOKENS)) return null;
  return Math.ceil(number);
}

function recordOf(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}
