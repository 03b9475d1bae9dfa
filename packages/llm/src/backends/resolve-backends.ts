import { readFileSync } from "node:fs";
import { z } from "zod";
import { Fault, ROLES } from "@agentswarm/contracts";
import { backendEntrySchema, serves, type Backend, type BackendEntry } from "./backend.ts";
import { factsOf } from "./models.ts";

export interface BackendSettings {
  readonly LLM_BACKENDS?: string | undefined;
  readonly LLM_BASE_URL?: string | undefined;
  readonly LLM_API_KEY?: string | undefined;
  readonly LLM_MODEL: string;
  readonly RUNPOD_ENDPOINT_ID?: string | undefined;
  readonly RUNPOD_API_KEY?: string | undefined;
  readonly MODAL_GLM_URL?: string | undefined;
  readonly MODAL_GLM_API_KEY?: string | undefined;
  readonly RECORDED_MODEL_URL?: string | undefined;
}

type Variables = Readonly<Record<string, string | undefined>>;

/** RunPod's limit of an endpoint; no swarm comes near it, so it does for all. */
const CONCURRENCY = 400;

const listSchema = z.array(backendEntrySchema).min(1);

/**
 * The backends, the first to be asked first: those of LLM_BACKENDS, else those that the settings people know name.
 * `variables` holds the keys, which the list only names. Throws Fault `config.invalid`.
 */
export function resolveBackends(settings: BackendSettings, variables: Variables): Backend[] {
  const entries =
    settings.LLM_BACKENDS === undefined ? entriesOfSettings(settings) : readEntries(settings.LLM_BACKENDS);
  const backends = entries
    .map((entry, at) => completeEntry(entry, at + 1, settings, { ...variables, ...settings }))
    .toSorted((a, b) => a.priority - b.priority);
  if (new Set(backends.map(({ name }) => name)).size < backends.length)
    throw new Fault("config.invalid", "LLM_BACKENDS: two backends have the same name");
  for (const role of ROLES) {
    if (!backends.some((backend) => serves(backend, role)))
      throw new Fault("config.invalid", `LLM_BACKENDS: no backend has the role ${role}`);
  }
  return backends;
}

/** LLM_BACKENDS holds the list itself or names the file that does. */
function readEntries(setting: string): BackendEntry[] {
  const inline = setting.trimStart().startsWith("[");
  try {
    const parsed = listSchema.safeParse(JSON.parse(inline ? setting : readFileSync(setting, "utf8")));
    if (parsed.success) return parsed.data;
    throw new Error(z.prettifyError(parsed.error));
  } catch (cause) {
    throw new Fault("config.invalid", `LLM_BACKENDS: ${(cause as Error).message}`, { cause });
  }
}

/** RunPod first, one's own Modal as its overflow, then any other server; recorded answers only where there is none. */
function entriesOfSettings(settings: BackendSettings): BackendEntry[] {
  const entries: BackendEntry[] = [];
  const add = (name: string, kind: BackendEntry["kind"]) => entries.push({ name, kind, jsonSchema: false });
  if (settings.RUNPOD_ENDPOINT_ID !== undefined) add("runpod", "runpod");
  if (settings.MODAL_GLM_URL !== undefined) add("modal", "glm-modal");
  if (settings.LLM_BASE_URL !== undefined) add(nameOf(settings.LLM_BASE_URL), "openai-compatible");
  if (entries.length > 0) return entries;
  if (settings.RECORDED_MODEL_URL !== undefined) {
    const baseUrl = settings.RECORDED_MODEL_URL;
    return [{ name: "recorded", kind: "openai-compatible", baseUrl, model: "recorded", jsonSchema: false }];
  }
  throw new Fault(
    "config.invalid",
    "no model: set LLM_BASE_URL and LLM_API_KEY, or RUNPOD_ENDPOINT_ID and RUNPOD_API_KEY",
  );
}

/** Its host, as cost figures name it. */
function nameOf(url: string): string {
  return new URL(url).host;
}

interface Preset {
  readonly baseUrl: string | undefined;
  /** What must be set for it to have a URL. */
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
      // A key that goes with LLM_BASE_URL is that server's.
      const alone = settings.LLM_BASE_URL === undefined;
      const keyVars = ["RUNPOD_API_KEY", ...(alone ? ["LLM_API_KEY"] : [])];
      return { baseUrl, urlFrom: "RUNPOD_ENDPOINT_ID", keyVars, needsKey: true };
    }
    case "glm-modal": {
      // People give the app's URL as Modal prints it, without the path that SGLang serves under.
      const baseUrl = settings.MODAL_GLM_URL?.replace(/\/+$/, "").replace(/(?<!\/v1)$/, "/v1");
      return { baseUrl, urlFrom: "MODAL_GLM_URL", keyVars: ["MODAL_GLM_API_KEY"], needsKey: false };
    }
    case "zai": {
      const baseUrl = "https://api.z.ai/api/paas/v4";
      return { baseUrl, urlFrom: "baseUrl", keyVars: ["ZAI_API_KEY"], needsKey: true };
    }
    case "openai-compatible": {
      const baseUrl = settings.LLM_BASE_URL;
      // Servers on one's own machine want no key.
      return { baseUrl, urlFrom: "LLM_BASE_URL", keyVars: ["LLM_API_KEY"], needsKey: false };
    }
  }
}

function completeEntry(
  entry: BackendEntry,
  place: number,
  settings: BackendSettings,
  variables: Variables,
): Backend {
  const preset = presetOf(entry.kind, settings);
  const baseUrl = entry.baseUrl ?? preset.baseUrl;
  if (baseUrl === undefined)
    throw new Fault("config.invalid", `LLM_BACKENDS: ${entry.name} needs a baseUrl or ${preset.urlFrom}`);
  // A key that was meant for one address must not go to another.
  const ownAddress = entry.baseUrl !== undefined && entry.kind === "openai-compatible";
  const keyVars = entry.keyVar === undefined ? (ownAddress ? [] : preset.keyVars) : [entry.keyVar];
  const apiKey = keyVars.map((name) => variables[name]).find((value) => value !== undefined && value !== "");
  if (apiKey === undefined && (preset.needsKey || entry.keyVar !== undefined))
    throw new Fault("config.invalid", `${subject(entry)} needs ${keyVars[0]}`);
  const model = entry.model ?? settings.LLM_MODEL;
  const facts = factsOf(model);
  return {
    name: entry.name,
    baseUrl: baseUrl.replace(/\/+$/, ""),
    // The protocol wants something in a key's place.
    apiKey: apiKey ?? "none",
    model,
    contextTokens: entry.contextTokens ?? facts.contextTokens,
    prices: entry.prices ?? facts.prices,
    concurrency: entry.concurrency ?? CONCURRENCY,
    roles: entry.roles ?? null,
    priority: entry.priority ?? place,
    jsonSchema: entry.jsonSchema,
  };
}

function subject({ name, kind }: BackendEntry): string {
  return name === "runpod" && kind === "runpod" ? "RUNPOD_ENDPOINT_ID" : `LLM_BACKENDS: ${name}`;
}
