import { answerText, estimateTokens, measureUsage, type Backend, type Usage } from "@agentswarm/llm";

/** Measures the usage of one call. */
export interface Meter {
  /** Takes one event of the answer, and returns the text that the agent gets. */
  relay(event: object): string;
  usage(): Usage;
}

export interface MeterOptions {
  readonly backend: Backend;
  /** The model's name towards the agent. */
  readonly outwardModel: string;
  /** Estimates the prompt, for an answer without usage. */
  readonly prompt: () => { readonly tokensIn: number; readonly cachedShare: number };
  readonly onEvent?: ((event: object) => void) | undefined;
}

/** Reads the usage of a call from its answer, or estimates it from the texts when the backend reports none. */
export function openMeter({ backend, outwardModel, prompt, onEvent }: MeterOptions): Meter {
  const { prices, name, model } = backend;
  let answered = "";
  let reported: unknown;
  return {
    relay(event) {
      onEvent?.(event);
      answered += answerText(event);
      reported = (event as { usage?: unknown }).usage ?? reported;
      return JSON.stringify("model" in event ? { ...event, model: outwardModel } : event);
    },
    usage: () => ({
      ...measureUsage(reported, () => ({ ...prompt(), tokensOut: estimateTokens(answered) }), prices),
      backend: name,
      model,
    }),
  };
}
