export { askStructured } from "./ask-structured.ts";
export type { Backend } from "./backends/backend.ts";
export type { Prices } from "./backends/models.ts";
export { keyVariables } from "./backends/key-variables.ts";
export { configuresModel, needsSample, refuseHalfAModel } from "./backends/refuse-half-a-model.ts";
export { resolveBackends } from "./backends/resolve-backends.ts";
export { estimateCall, paidFrom } from "./budget.ts";
export { createModel, type Model } from "./model.ts";
export { openRouter } from "./open-router.ts";
export { assembleStep } from "./record/assemble-step.ts";
export { openRecorder, type Recorder } from "./record/recorder.ts";
export { renderPrompt } from "./render-prompt.ts";
export { createRouter, type BackendChange, type Router, type RouterOptions } from "./router/router.ts";
export { modelSettings, type ModelSettings } from "./settings.ts";
export {
  addUsage,
  estimateTokens,
  estimateUsage,
  fitTokens,
  NO_USAGE,
  readUsage,
  type Usage,
} from "./usage.ts";
