export { askStructured } from "./ask-structured.ts";
export { createModel, type Model } from "./model.ts";
export { resolveModelSettings, type ModelEndpoint } from "./model-settings.ts";
export { renderPrompt } from "./render-prompt.ts";
export {
  addUsage,
  estimateUsage,
  fitTokens,
  NO_USAGE,
  priceOf,
  pricesOf,
  readUsage,
  type Prices,
  type Usage,
} from "./usage.ts";
