import { z } from "zod";
import type { Prices } from "./backends/models.ts";

/** What one or more model calls used. */
export interface Usage {
  readonly tokensIn: number;
  readonly tokensOut: number;
  /** The part of tokensIn that was served from the backend's prompt cache. */
  readonly tokensCached: number;
  readonly costUsd: number;
  /** True when the backend told nothing and the tokens were counted from the text. */
  readonly estimated: boolean;
  /** Which backend answered, and with which model; whose prices were charged. */
  readonly backend?: string;
  readonly model?: string;
}

export const NO_USAGE: Usage = { tokensIn: 0, tokensOut: 0, tokensCached: 0, costUsd: 0, estimated: false };

const PER = 1_000_000;

/** What tokens cost, in US dollars. */
export function priceOf(tokens: Omit<Usage, "costUsd" | "estimated">, prices: Prices): number {
  const fresh = tokens.tokensIn - tokens.tokensCached;
  return (
    (fresh * prices.input + tokens.tokensCached * prices.cached + tokens.tokensOut * prices.output) / PER
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

/** About how many tokens a text has. */
export function estimateTokens(text: string): number {
  return Math.ceil(text.length / CHARS_PER_TOKEN);
}

/** Usage counted from the texts, for backends that tell nothing. */
export function estimateUsage(input: string, output: string, prices: Prices): Usage {
  const tokens = { tokensIn: estimateTokens(input), tokensOut: estimateTokens(output), tokensCached: 0 };
  return { ...tokens, costUsd: priceOf(tokens, prices), estimated: true };
}

/** The figures of both together. Who answered is not kept, as it may have been two. */
export function addUsage(a: Usage, b: Usage): Usage {
  return {
    tokensIn: a.tokensIn + b.tokensIn,
    tokensOut: a.tokensOut + b.tokensOut,
    tokensCached: a.tokensCached + b.tokensCached,
    costUsd: a.costUsd + b.costUsd,
    estimated: a.estimated || b.estimated,
  };
}

/** Cuts a text to a token budget: its beginning and its end stay, with a mark between. */
export function fitTokens(text: string, budget: number): string {
  if (estimateTokens(text) <= budget) return text;
  const half = Math.max(0, Math.floor((budget * CHARS_PER_TOKEN) / 2) - 20);
  return `${text.slice(0, half)}\n[… cut …]\n${text.slice(text.length - half)}`;
}
