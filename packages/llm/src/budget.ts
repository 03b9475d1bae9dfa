import { Fault, type BudgetHandle, type CallEstimate } from "@agentswarm/contracts";
import type { Prices } from "./backends/models.ts";
import type { CompletionRequest, Model } from "./model.ts";
import { roughTokens } from "./usage/fit-tokens.ts";
import { NO_USAGE, priceOf, type Usage } from "./usage/usage.ts";

/** The most that a call with this prompt may use. */
export function estimateCall(prompt: string, maxTokens: number, prices: Prices): CallEstimate {
  const tokens = { tokensIn: roughTokens(prompt), tokensOut: maxTokens, tokensCached: 0 };
  return { costUsd: priceOf(tokens, prices), tokens: tokens.tokensIn + tokens.tokensOut };
}

const RETRY_AFTER_MS = 10_000;

/**
 * A model whose calls are charged to a budget. Each call reserves its estimate first and commits its real usage
 * afterwards. `onUse` gets the usage of every answer, of an invalid one too. Throws Fault `budget.reached` (retryable)
 * without a call when the budget is used up.
 */
export function paidFrom(
  budget: BudgetHandle,
  model: Model,
  options: { readonly maxTokens: number; readonly onUse: (usage: Usage) => Promise<void> },
): Model {
  return {
    ...model,
    async complete(request: CompletionRequest) {
      const prompt = request.messages.map((message) => message.content).join("\n");
      const estimate = estimateCall(prompt, options.maxTokens, model.prices);
      const reserved = await budget.reserve(estimate, request.signal);
      if (reserved.kind === "exhausted") {
        throw new Fault("budget.reached", reserved.why, { retryable: true, retryAfterMs: RETRY_AFTER_MS });
      }
      let usage = NO_USAGE;
      try {
        const answer = await model.complete(request);
        ({ usage } = answer);
        await options.onUse(usage);
        return answer;
      } finally {
        await reserved.commitReservation(usage);
      }
    },
  };
}
