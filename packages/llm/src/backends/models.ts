/** US dollars per million tokens. */
export interface Prices {
  readonly input: number;
  readonly output: number;
  readonly cached: number;
}

export interface ModelFacts {
  /** Null for a model that is not listed here. */
  readonly prices: Prices | null;
  /** The context window: prompt and answer together. */
  readonly contextTokens: number;
}

const GLM_5_CONTEXT = 202_752;
const GLM_5_1 = { input: 1.4, output: 4.4, cached: 0.26 };

/** z.ai's price list of November 2026. */
const MODELS: Readonly<Record<string, ModelFacts>> = {
  "glm-5": { prices: { input: 1, output: 3.2, cached: 0.2 }, contextTokens: GLM_5_CONTEXT },
  "glm-5.1": { prices: GLM_5_1, contextTokens: GLM_5_CONTEXT },
  "glm-5.2": { prices: GLM_5_1, contextTokens: 1_000_000 },
  "glm-5.3": { prices: GLM_5_1, contextTokens: 1_000_000 },
  "glm-5.3-flash": { prices: { input: 0.15, output: 0.5, cached: 0.03 }, contextTokens: GLM_5_CONTEXT },
};

/** Of a model that costs nothing. */
export const FREE: Prices = { input: 0, output: 0, cached: 0 };

/** For an unknown model (the recorded one, a self-hosted one): no context limit. */
const UNKNOWN: ModelFacts = { prices: null, contextTokens: Number.MAX_SAFE_INTEGER };

/** The facts of a model by its name, without publisher and weight format (`zai-org/GLM-5-FP8` is `glm-5`). */
export function factsOf(model: string): ModelFacts {
  const name = model.toLowerCase().split("/").at(-1) ?? "";
  return MODELS[name.replace(/-fp8$/, "")] ?? UNKNOWN;
}
