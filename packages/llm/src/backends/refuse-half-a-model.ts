import { Fault } from "@agentswarm/contracts";

type Variables = Readonly<Record<string, string | undefined>>;

/** Each of these settings names a model; one is enough. */
const MODELS = ["LLM_BACKENDS", "LLM_BASE_URL", "RUNPOD_ENDPOINT_ID", "MODAL_GLM_URL"] as const;

type ModelNames = Readonly<Partial<Record<(typeof MODELS)[number], string | undefined>>>;

/** Settings that mean nothing unless one of the others is set. */
const HALVES: Readonly<Record<string, readonly string[]>> = {
  LLM_API_KEY: MODELS,
  LLM_MODEL: MODELS,
  RUNPOD_API_KEY: ["RUNPOD_ENDPOINT_ID", "LLM_BACKENDS"],
  MODAL_GLM_API_KEY: ["MODAL_GLM_URL", "LLM_BACKENDS"],
};

const isSet = (variables: Variables, name: string) => (variables[name] ?? "").trim() !== "";

/** Whether the environment configures a model; without one the swarm plays recorded answers. */
export function configuresModel(variables: ModelNames): boolean {
  return MODELS.some((name) => (variables[name] ?? "").trim() !== "");
}

/** Whether recorded answers are played, on the sample project and nowhere else. */
export function needsSample(settings: ModelNames & { readonly RECORDED_TARGET: "sample" | "any" }): boolean {
  return settings.RECORDED_TARGET === "sample" && !configuresModel(settings);
}

/**
 * Refuses a model that is configured in part: without this, recorded answers would be played to somebody who has set a
 * key. Throws Fault `config.invalid`.
 */
export function refuseHalfAModel(variables: Variables): void {
  for (const [name, others] of Object.entries(HALVES)) {
    if (!isSet(variables, name) || others.some((other) => isSet(variables, other))) continue;
    const missing = name.startsWith("LLM_") ? "LLM_BASE_URL" : (others[0] ?? "");
    throw new Fault(
      "config.invalid",
      `${name} is set, but no model that it belongs to: set ${missing} too, or remove ${name}`,
    );
  }
}
