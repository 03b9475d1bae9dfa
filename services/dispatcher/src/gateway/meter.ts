import { estimateUsage, readUsage, type Backend, type Usage } from "@agentswarm/llm";

/** Measures the usage of one call. */
export interface Meter {
  /** Takes one event of the answer, and returns the text that the agent gets. */
  relay(event: object): string;
  usage(): Usage;
}

/**
 * Reads the usage of a call from its answer, or estimates it from the texts when the backend reports none. The agent
 * sees `outwardModel` instead of the backend's name for the model.
 */
export function openMeter(
  asked: string,
  backend: Backend,
  outwardModel: string,
  onEvent?: (event: object) => void,
): Meter {
  const { prices, name, model } = backend;
  let answered = "";
  let reported: unknown;
  return {
    relay(event) {
      onEvent?.(event);
      const text = JSON.stringify("model" in event ? { ...event, model: outwardModel } : event);
      answered += text;
      reported = (event as { usage?: unknown }).usage ?? reported;
      return text;
    },
    usage: () => ({
      ...(readUsage(reported, prices) ?? estimateUsage(asked, answered, prices)),
      backend: name,
      model,
    }),
  };
}
