import { Fault } from "@agentswarm/contracts";
import type { Backend } from "./backend.ts";

/** Caps in US dollars, by the names of their settings. */
export interface DollarCaps {
  readonly BUDGET_USD?: number | undefined;
  readonly FEATURE_BUDGET_USD?: number | undefined;
}

/**
 * Refuses a cap in US dollars when the price of a backend's model is not known: its calls would cost nothing, so that
 * the cap would never be reached. Throws Fault `config.invalid`.
 */
export function refuseUnpricedCaps(backends: readonly Backend[], caps: DollarCaps): void {
  const cap = (["BUDGET_USD", "FEATURE_BUDGET_USD"] as const).find((name) => caps[name] !== undefined);
  const why = describeUnpriced(backends);
  if (cap === undefined || why === null) return;
  throw new Fault("config.invalid", `${cap}=${caps[cap]} cannot be kept: ${why}; or use a cap in tokens`);
}

/** The backends whose models have no known price and what to set, or null. */
export function describeUnpriced(backends: readonly Backend[]): string | null {
  const unpriced = backends.filter(({ pricesKnown }) => !pricesKnown);
  if (unpriced.length === 0) return null;
  const names = unpriced.map(({ name, model }) => `${model} at ${name}`).join(", ");
  return `the price of ${names} is not known; set LLM_PRICE_IN and LLM_PRICE_OUT (US dollars per million tokens, 0 if it costs nothing), or \`prices\` of the backend in LLM_BACKENDS`;
}
