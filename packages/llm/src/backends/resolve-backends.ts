import { Fault, ROLES } from "@agentswarm/contracts";
import type { BackendSettings } from "../settings.ts";
import { serves, type Backend, type BackendEntry } from "./backend.ts";
import { factsOf, FREE, type Prices } from "./models.ts";
import { readEntries } from "./read-entries.ts";
import { refuseHalfAModel } from "./refuse-half-a-model.ts";

type Variables = Readonly<Record<string, string | undefined>>;

/** RunPod's limit for an endpoint. No swarm reaches it, so it is the default of every backend. */
const CONCURRENCY = 400;

/**
 * The backends in the order of their priority: those of LLM_BACKENDS, else those of the single settings. `variables` is
 * the environment: LLM_BACKENDS names the variables that hold the keys. Throws Fault `config.invalid`.
 */
export function resolveBackends(settings: BackendSettings, variables: Variables): Backend[] {
  // LLM_MODEL has a default, so only the environment tells whether it is set.
  const { LLM_PRICE_IN: _in, LLM_PRICE_OUT: _out, LLM_PRICE_CACHED: _cached, ...named } = settings;
  refuseHalfAModel({ ...named, LLM_MODEL: variables["LLM_MODEL"] });
  const entries =
    settings.LLM_BACKENDS === undefined ? entriesOfSettings(settings) : readEntries(settings.LLM_BACKENDS);
  const backends = entries
    .map((entry, at) => completeEntry(entry, at + 1, settings, { ...variables, ...named }))
    .toSorted((a, b) => a.priority - b.priority);
  if (new Set(backends.map(({ name }) => name)).size < backends.length)
    throw new Fault("config.invalid", "LLM_BACKENDS: two backends have the same name");
  for (const role of ROLES) {
    if (!backends.some((backend) => serves(backend, role)))
      throw new Fault("config.invalid", `LLM_BACKENDS: no backend has the role ${role}`);
  }
  return backends;
}

/** RunPod first, your own Modal app as its overflow, then any other server. Recorded answers only without any of them. */
function entriesOfSettings(settings: BackendSettings): BackendEntry[] {
  const entries: BackendEntry[] = [];
  const add = (name: string, kind: BackendEntry["kind"]) => entries.push({ name, kind, jsonSchema: false });
  if (settings.RUNPOD_ENDPOINT_ID !== undefined) add("runpod", "runpod");
  if (settings.MODAL_GLM_URL !== undefined) add("modal", "glm-modal");
  if (settings.LLM_BASE_URL !== undefined) add(nameOf(settings.LLM_BASE_URL), "openai-compatible");
  if (entries.length > 0) return entries;
  if (settings.RECORDED_MODEL_URL !== undefined) {
    const baseUrl = settings.RECORDED_MODEL_URL;
    const recorded = { name: "recorded", model: "recorded", prices: FREE, jsonSchema: false };
    return [{ ...recorded, kind: "openai-compatible", baseUrl }];
  }
  throw new Fault(
    "config.invalid",
    "no model: set LLM_BASE_URL and LLM_API_KEY, or RUNPOD_ENDPOINT_ID and RUNPOD_API_KEY",
  );
}

/** The host, which names the backend in cost figures. */
function nameOf(url: string): string {
  return new URL(url).host;
}

interface Preset {
  readonly baseUrl: string | undefined;
  /** The setting that its URL comes from. */
  readonly urlFrom: string;
  /** The variables that may hold its key, in order. */
  readonly keyVars: readonly string[];
  readonly needsKey: boolean;
}

function presetOf(kind: BackendEntry["kind"], settings: BackendSettings): Preset {
  switch (kind) {
    case "runpod": {
      const endpoint = settings.RUNPOD_ENDPOINT_ID;
      const baseUrl = endpoint && `https://api.runpod.ai/v2/${endpoint}/openai/v1`;
      // With LLM_BASE_URL set, LLM_API_KEY belongs to that server and must not be sent to RunPod.
      const alone = settings.LLM_BASE_URL === undefined;
      const keyVars = ["RUNPOD_API_KEY", ...(alone ? ["LLM_API_KEY"] : [])];
      return { baseUrl, urlFrom: "RUNPOD_ENDPOINT_ID", keyVars, needsKey: true };
    }
    case "glm-modal": {
      // Modal prints the app's URL without the path /v1, which SGLang serves.
      const baseUrl = settings.MODAL_GLM_URL?.replace(/\/+$/, "").replace(/(?<!\/v1)$/, "/v1");
      return { baseUrl, urlFrom: "MODAL_GLM_URL", keyVars: ["MODAL_GLM_API_KEY"], needsKey: false };
    }
    case "zai": {
      const baseUrl = "https://api.z.ai/api/paas/v4";
      return { baseUrl, urlFrom: "baseUrl", keyVars: ["ZAI_API_KEY"], needsKey: true };
    }
    case "openai-compatible": {
      const baseUrl = settings.LLM_BASE_URL;
      // A local server may need no key.
      return { baseUrl, urlFrom: "LLM_BASE_URL", keyVars: ["LLM_API_KEY"], needsKey: false };
    }
  }
}

/** The variables that may hold the key of a backend of this kind. */
export function presetKeyVariables(kind: BackendEntry["kind"]): readonly string[] {
  return presetOf(kind, { LLM_MODEL: "" }).keyVars;
}

function completeEntry(
  entry: BackendEntry,
  position: number,
  settings: BackendSettings,
  variables: Variables,
): Backend {
  const preset = presetOf(entry.kind, settings);
  const baseUrl = entry.baseUrl ?? preset.baseUrl;
  if (baseUrl === undefined)
    throw new Fault("config.invalid", `LLM_BACKENDS: ${entry.name} needs a baseUrl or ${preset.urlFrom}`);
  // A key for one address must not be sent to another.
  const ownAddress = entry.baseUrl !== undefined && entry.kind === "openai-compatible";
  const keyVars = entry.keyVar === undefined ? (ownAddress ? [] : preset.keyVars) : [entry.keyVar];
  const keyVar = keyVars.find((name) => (variables[name] ?? "") !== "");
  const apiKey = keyVar === undefined ? undefined : variables[keyVar];
  if (apiKey === undefined && (preset.needsKey || entry.keyVar !== undefined))
    throw new Fault("config.invalid", `${subject(entry)} needs ${keyVars[0]}`);
  const model = entry.model ?? settings.LLM_MODEL;
  const facts = factsOf(model);
  const prices = entry.prices ?? (entry.model === undefined ? pricesOf(settings) : null) ?? facts.prices;
  return {
    name: entry.name,
    baseUrl: baseUrl.replace(/\/+$/, ""),
    // The protocol requires a value for the key.
    apiKey: apiKey ?? "none",
    model,
    settings: {
      key: keyVar ?? keyVars[0] ?? `keyVar of ${entry.name} in LLM_BACKENDS`,
      model: entry.model === undefined ? "LLM_MODEL" : `model of ${entry.name} in LLM_BACKENDS`,
      url: entry.baseUrl === undefined ? preset.urlFrom : `baseUrl of ${entry.name} in LLM_BACKENDS`,
    },
    contextTokens: entry.contextTokens ?? facts.contextTokens,
    prices: prices ?? FREE,
    pricesKnown: prices !== null,
    concurrency: entry.concurrency ?? CONCURRENCY,
    roles: entry.roles ?? null,
    priority: entry.priority ?? position,
    jsonSchema: entry.jsonSchema,
  };
}

/** The prices of LLM_MODEL, or null. Throws Fault `config.invalid` when only some of them are set. */
function pricesOf(settings: BackendSettings): Prices | null {
  const { LLM_PRICE_IN: input, LLM_PRICE_OUT: output, LLM_PRICE_CACHED: cached } = settings;
  if (input === undefined && output === undefined && cached === undefined) return null;
  if (input === undefined || output === undefined)
    throw new Fault(
      "config.invalid",
      "set both LLM_PRICE_IN and LLM_PRICE_OUT (US dollars per million tokens), or none of LLM_PRICE_*",
    );
  return { input, output, cached: cached ?? input };
}

function subject({ name, kind }: BackendEntry): string {
  return name === "runpod" && kind === "runpod" ? "RUNPOD_ENDPOINT_ID" : `LLM_BACKENDS: ${name}`;
}
