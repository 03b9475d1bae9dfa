import { Fault } from "@agentswarm/contracts";

export interface ModelEndpoint {
  readonly baseUrl: string;
  readonly apiKey: string;
  readonly model: string;
}

/** Where the model is, from the settings users know. RunPod's serverless endpoints have a URL by their id. */
export function resolveModelSettings(settings: {
  LLM_BASE_URL?: string | undefined;
  LLM_API_KEY?: string | undefined;
  LLM_MODEL: string;
  RUNPOD_ENDPOINT_ID?: string | undefined;
  RUNPOD_API_KEY?: string | undefined;
}): ModelEndpoint {
  const { LLM_MODEL: model, RUNPOD_ENDPOINT_ID: endpoint } = settings;
  if (settings.LLM_BASE_URL !== undefined) {
    // Servers on one's own machine want no key, but the protocol wants something in its place.
    return {
      baseUrl: settings.LLM_BASE_URL.replace(/\/$/, ""),
      apiKey: settings.LLM_API_KEY ?? "none",
      model,
    };
  }
  if (endpoint !== undefined) {
    const apiKey = settings.RUNPOD_API_KEY ?? settings.LLM_API_KEY;
    if (apiKey === undefined) throw new Fault("config.invalid", "RUNPOD_ENDPOINT_ID needs RUNPOD_API_KEY");
    return { baseUrl: `https://api.runpod.ai/v2/${endpoint}/openai/v1`, apiKey, model };
  }
  throw new Fault(
    "config.invalid",
    "no model: set LLM_BASE_URL and LLM_API_KEY, or RUNPOD_ENDPOINT_ID and RUNPOD_API_KEY",
  );
}
