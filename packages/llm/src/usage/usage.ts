import type { Prices } from "../backends/models.ts";

/** The tokens and costs of one or more model calls. All numbers of tokens are whole and not negative. */
export interface Usage {
  readonly tokensIn: number;
  readonly tokensOut: number;
  /** The part of tokensIn that came from the backend's prompt cache. */
  readonly tokensCached: number;
  readonly costUsd: number;
  /** True when the backend reported no usage, or none that can be right, and tokens were estimated from the texts. */
  readonly estimated: boolean;
  /** The backend and the model that answered; their prices were charged. */
  readonly backend?: string;
  readonly model?: string;
}

export const NO_USAGE: Usage = { tokensIn: 0, tokensOut: 0, tokensCached: 0, costUsd: 0, estimated: false };

const TOKENS_PER_PRICE = 1_000_000;

/** The cost of tokens in US dollars. */
export function priceOf(
  tokens: Pick<Usage, "tokensIn" | "tokensOut" | "tokensCached">,
  prices: Prices,
): number {
  const fresh = tokens.tokensIn - tokens.tokensCached;
  return (
    (fresh * prices.input + tokens.tokensCached * prices.cached + tokens.tokensOut * prices.output) /
    TOKENS_PER_PRICE
  );
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
