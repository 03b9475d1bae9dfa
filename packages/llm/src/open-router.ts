import { refuseUnpricedCaps, type DollarCaps } from "./backends/refuse-unpriced-caps.ts";
import { resolveBackends } from "./backends/resolve-backends.ts";
import { createRouter, type BackendChange, type Router } from "./router/router.ts";
import type { ModelSettings } from "./settings.ts";

/** Opens the router of a service. `variables` is the environment with the keys. Throws Fault `config.invalid`. */
export function openRouter(
  settings: ModelSettings & DollarCaps,
  variables: Readonly<Record<string, string | undefined>>,
  onChange?: (change: BackendChange) => void,
): Router {
  const backends = resolveBackends(settings, variables);
  refuseUnpricedCaps(backends, settings);
  return createRouter(backends, {
    timeouts: {
      connectMs: settings.LLM_CONNECT_TIMEOUT * 1_000,
      firstMs: settings.LLM_FIRST_TOKEN_TIMEOUT * 1_000,
      betweenMs: settings.LLM_CHUNK_TIMEOUT * 1_000,
      wholeMs: settings.LLM_ANSWER_TIMEOUT * 1_000,
    },
    onChange,
  });
}
