import { estimateUsage, readUsage, type Backend, type Usage } from "@agentswarm/llm";

/** What one call uses. */
export interface Meter {
  /** Hears one event, and gives the text that the agent gets of it. */
  see(event: object): string;
  usage(): Usage;
}

/**
 * Reads what a call used off its answer, or counts it from the texts where the backend does not tell. The backend's
 * name for its model stays with the host.
 */
export function openMeter(
  asked: string,
  backend: Backend,
  outwardModel: string,
  onEvent?: (event: object) => void,
): Meter {
  const { prices, name, model } = backend;
  let said = "";
  let told: unknown;
  return {
    see(event) {
      onEvent?.(event);
      const text = JSON.stringify("model" in event ? { ...event, model: outwardModel } : event);
      said += text;
      told = (event as { usage?: unknown }).usage ?? told;
      return text;
    },
    usage: () => ({
      ...(readUsage(told, prices) ?? estimateUsage(asked, said, prices)),
      backend: name,
      model,
    }),
  };
}
