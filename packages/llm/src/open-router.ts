import { resolveBackends, type BackendSettings } from "./backends/resolve-backends.ts";
import { createRouter, type BackendChange, type Router } from "./router/router.ts";

/** The settings of the model, with times in seconds. */
export interface RouterSettings extends BackendSettings {
  readonly LLM_CONNECT_TIMEOUT: number;
  readonly LLM_FIRST_TOKEN_TIMEOUT: number;
  readonly LLM_CHUNK_TIMEOUT: number;
  readonly LLM_ANSWER_TIMEOUT: number;
}

/** The router that a service's settings describe. `variables` holds the keys. Throws Fault `config.invalid`. */
export function openRouter(
  settings: RouterSettings,
  variables: Readonly<Record<string, string | undefined>>,
  onChange?: (change: BackendChange) => void,
): Router {
  return createRouter(resolveBackends(settings, variables), {
    patience: {
      connectMs: settings.LLM_CONNECT_TIMEOUT * 1_000,
      firstMs: settings.LLM_FIRST_TOKEN_TIMEOUT * 1_000,
      betweenMs: settings.LLM_CHUNK_TIMEOUT * 1_000,
      wholeMs: settings.LLM_ANSWER_TIMEOUT * 1_000,
    },
    ...(onChange === undefined ? {} : { onChange }),
  });
}
