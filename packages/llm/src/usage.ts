import { z } from "zod";
import type { Prices } from "./backends/models.ts";

/** The tokens and costs of one or more model calls. */
export interface Usage {
  readonly tokensIn: number;
  readonly tokensOut: number;
  /** The part of tokensIn that came from the backend's prompt cache. */
  readonly tokensCached: number;
  readonly costUsd: number;
  /** True when the backend reported no usage and the tokens were estimated from the texts. */
  readonly estimated: boolean;
  /** The backend and the model that answered; their prices were charged. */
  readonly backend?: string;
  readonly model?: string;
}

export const NO_USAGE: Usage = { tokensIn: 0, tokensOut: 0, tokensCached: 0, costUsd: 0, estimated: false };

const TOKENS_PER_PRICE = 1_000_000;

/** The cost of tokens in US dollars. */
export function priceOf(tokens: Omit<Usage, "costUsd" | "estimated">, prices: Prices): number {
  const fresh = tokens.tokensIn - tokens.tokensCached;
  return (
    (fresh * prices.input + tokens.tokensCached * prices.cached + tokens.tokensOut * prices.output) /
    TOKENS_PER_PRICE
  );
}

const reportedSchema = z.object({
  prompt_tokens: z.number().default(0),
  completion_tokens: z.number().default(0),
  prompt_tokens_details: z.object({ cached_tokens: z.number().nullish() }).nullish(),
});

/** Reads the `usage` of a chat completion; null when it is missing or unreadable. */
export function readUsage(reported: unknown, prices: Prices): Usage | null {
  const parsed = reportedSchema.safeParse(reported);
  if (!parsed.success || parsed.data.prompt_tokens + parsed.data.completion_tokens === 0) return null;
  const tokens = {
    tokensIn: parsed.data.prompt_tokens,
    tokensOut: parsed.data.completion_tokens,
    tokensCached: parsed.data.prompt_tokens_details?.cached_tokens ?? 0,
  };
  return { ...tokens, costUsd: priceOf(tokens, prices), estimated: false };
}

const CHARS_PER_TOKEN = 4;

/** The estimated number of tokens of a text. */
export function estimateTokens(text: string): number {
  return Math.ceil(text.length / CHARS_PER_TOKEN);
}

/** Usage estimated from the texts, for backends that report none. */
export function estimateUsage(input: string, output: string, prices: Prices): Usage {
  const tokens = { tokensIn: estimateTokens(input), tokensOut: estimateTokens(output), tokensCached: 0 };
  return { ...tokens, costUsd: priceOf(tokens, prices), estimated: true };
}

/** The sum of both, without backend and model, which may differ. */
export function addUsage(a: Usage, b: Usage): Usage {
  return {
    tokensIn: a.tokensIn + b.tokensIn,
    tokensOut: a.tokensOut + b.tokensOut,
    tokensCached: a.tokensCached + b.tokensCached,
    costUsd: a.costUsd + b.costUsd,
    estimated: a.estimated || b.estimated,
  };
}

/** Cuts a text to a number of tokens: its beginning and its end stay, with a mark between. */
export function fitTokens(text: string, maxTokens: number): string {
  if (estimateTokens(text) <= maxTokens) return text;
  const half = Math.max(0, Math.floor((maxTokens * CHARS_PER_TOKEN) / 2) - 20);
  return `${text.slice(0, half)}\n[… cut …]\n${text.slice(text.length - half)}`;
}
