import { Fault, type BudgetLevel } from "@agentswarm/contracts";
import type { Prices } from "./backends/models.ts";
import type { Asking, Model } from "./model.ts";
import { estimateTokens, NO_USAGE, priceOf, type Usage } from "./usage.ts";

/** What one call may come to at most: its prompt, and the longest answer it allows. */
export interface Estimate {
  readonly costUsd: number;
  /** Prompt and completion tokens together. */
  readonly tokens: number;
}

export type Reservation =
  | {
      kind: "granted";
      /** Tells what the call really used; has to be called however the call ended. */
      settle(usage: Usage): Promise<void>;
    }
  | { kind: "exhausted"; level: BudgetLevel; why: string };

/** What calls to a model are paid from. */
export interface Budget {
  /** Sets aside what a call may come to, or says which budget is used up. May wait for calls that are under way. */
  reserve(estimate: Estimate, signal?: AbortSignal): Promise<Reservation>;
}

/** For calls that nobody keeps count of. */
export const NO_BUDGET: Budget = {
  reserve: () => Promise.resolve({ kind: "granted", settle: () => Promise.resolve() }),
};

/** What a call with this prompt may come to. */
export function estimateCall(prompt: string, maxTokens: number, prices: Prices): Estimate {
  const tokens = { tokensIn: estimateTokens(prompt), tokensOut: maxTokens, tokensCached: 0 };
  return { costUsd: priceOf(tokens, prices), tokens: tokens.tokensIn + tokens.tokensOut };
}

const ASK_AGAIN_MS = 10_000;

/**
 * The model, paid from a budget: each call reserves what it may come to and settles what it did, and `onUse` is told,
 * whatever the answer was worth. Throws Fault `budget.reached` (retryable) instead of asking when the budget is used up.
 */
export function paidFrom(
  budget: Budget,
  model: Model,
  options: { readonly maxTokens: number; readonly onUse: (usage: Usage) => Promise<void> },
): Model {
  return {
    ...model,
    async complete(asking: Asking) {
      const prompt = asking.messages.map((message) => message.content).join("\n");
      const estimate = estimateCall(prompt, options.maxTokens, model.prices);
      const reserved = await budget.reserve(estimate, asking.signal);
      if (reserved.kind === "exhausted") {
        throw new Fault("budget.reached", reserved.why, { retryable: true, retryAfterMs: ASK_AGAIN_MS });
      }
      let usage = NO_USAGE;
      try {
        const answer = await model.complete(asking);
        ({ usage } = answer);
        await options.onUse(usage);
        return answer;
      } finally {
        await reserved.settle(usage);
      }
    },
  };
}
