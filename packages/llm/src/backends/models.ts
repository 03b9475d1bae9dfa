/** US dollars per million tokens. */
export interface Prices {
  readonly input: number;
  readonly output: number;
  readonly cached: number;
}

export interface ModelFacts {
  readonly prices: Prices;
  /** How much one call may hold, question and answer together. */
  readonly contextTokens: number;
}

const GLM_5_CONTEXT = 202_752;
const GLM_5_1 = { input: 1.4, output: 4.4, cached: 0.26 };

/** GLM's list of November 2026. */
const MODELS: Readonly<Record<string, ModelFacts>> = {
  "glm-5": { prices: { input: 1, output: 3.2, cached: 0.2 }, contextTokens: GLM_5_CONTEXT },
  "glm-5.1": { prices: GLM_5_1, contextTokens: GLM_5_CONTEXT },
  "glm-5.2": { prices: GLM_5_1, contextTokens: 1_000_000 },
  "glm-5.3": { prices: GLM_5_1, contextTokens: 1_000_000 },
  "glm-5.3-flash": { prices: { input: 0.15, output: 0.5, cached: 0.03 }, contextTokens: GLM_5_CONTEXT },
};

/** Nothing is charged for a model that is not known (the recorded one, one of your own), and nothing is too long. */
const UNKNOWN: ModelFacts = {
  prices: { input: 0, output: 0, cached: 0 },
  contextTokens: Number.MAX_SAFE_INTEGER,
};

/** What is known of a model by its name, whoever published it and however its weights are kept. */
export function factsOf(model: string): ModelFacts {
  const name = model.toLowerCase().split("/").at(-1) ?? "";
  return MODELS[name.replace(/-fp8$/, "")] ?? UNKNOWN;
}
