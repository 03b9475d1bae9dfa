import { z } from "zod";
import { asFault } from "@agentswarm/contracts";
import {
  configuresModel,
  describeUnpriced,
  modelSettings,
  refuseUnpricedCaps,
  resolveBackends,
  tryBackend,
  type Backend,
  type DollarCaps,
} from "@agentswarm/llm";
import { budgetSettings } from "@agentswarm/queue";
import { parseEnv, type Environment } from "@agentswarm/service";
import { fail, ok, warn, type Finding } from "./finding.ts";

const NAME = "model";
const DEADLINE_MS = 10_000;
const CAPS = z.object(budgetSettings).pick({ BUDGET_USD: true, FEATURE_BUDGET_USD: true });

/**
 * Examines every configured backend by its list of models, and their prices. A call for one token is made where the list
 * does not name the model, or always with `calls`.
 */
export async function examineModel(env: Environment, calls = false): Promise<Finding[]> {
  if (!configuresModel(env)) {
    return [
      warn(
        NAME,
        "none configured: recorded answers are played, which fit the demo only",
        "set LLM_BASE_URL, LLM_API_KEY and LLM_MODEL, or RUNPOD_ENDPOINT_ID and RUNPOD_API_KEY",
      ),
    ];
  }
  try {
    const backends = resolveBackends(parseEnv(z.object(modelSettings), env), env);
    const findings = await Promise.all(backends.map((backend) => examineBackend(backend, calls)));
    return [...findings, ...examinePrices(backends, parseEnv(CAPS, env))];
  } catch (error) {
    return [fail(NAME, asFault(error).message, "correct the settings of the model")];
  }
}

function examinePrices(backends: readonly Backend[], caps: DollarCaps): Finding[] {
  const unpriced = describeUnpriced(backends);
  if (unpriced === null) return [];
  try {
    refuseUnpricedCaps(backends, caps);
    const [why, fix] = unpriced.split("; ", 2);
    return [warn("prices", `${why}: costs are shown as 0, and caps in US dollars are refused`, fix ?? "")];
  } catch (error) {
    return [fail("prices", asFault(error).message, "npm start refuses this")];
  }
}

async function examineBackend(backend: Backend, calls: boolean): Promise<Finding> {
  const { name, baseUrl, model, settings } = backend;
  const where = `${name} (${baseUrl})`;
  try {
    const list = await listModels(backend, baseUrl);
    if (list.status === 401 || list.status === 403)
      return fail(NAME, `${where} refuses the key (${list.status})`, `correct ${settings.key}`);
    if (list.status === 404 && !/\/v\d+$/.test(baseUrl) && (await answersBelow(backend)))
      return fail(NAME, `${where} answered 404, but ${baseUrl}/v1 answers`, `set ${settings.url} to it`);
    if (!calls && list.models.includes(model)) return ok(NAME, `${model} at ${where}`);
    return await examineCall(backend, list, where);
  } catch (error) {
    return fail(NAME, `${where} cannot be reached: ${messageOf(error)}`, `correct ${settings.url}`);
  }
}

/** One call for one token shows what a list cannot: whether the model answers under this name. */
async function examineCall(backend: Backend, list: ModelList, where: string): Promise<Finding> {
  const refusal = await tryBackend(backend);
  const { model, settings } = backend;
  if (refusal === null) return ok(NAME, `${model} at ${where}, answers`);
  const has = list.models.length === 0 ? "" : `; it has ${nearest(list.models, model).join(", ")}`;
  const known = list.models.length === 0 || list.models.includes(model);
  const why = known ? refusal : `${where} does not list ${model}${has}, and a call failed: ${refusal}`;
  return fail(NAME, why, known ? "correct the setting that is named" : `correct ${settings.model}`);
}

interface ModelList {
  readonly status: number;
  /** Empty when the backend has no list. */
  readonly models: readonly string[];
}

const listSchema = z.object({ data: z.array(z.object({ id: z.string() })) });

async function listModels({ apiKey }: Backend, baseUrl: string): Promise<ModelList> {
  const response = await fetch(`${baseUrl}/models`, {
    headers: { authorization: `Bearer ${apiKey}` },
    signal: AbortSignal.timeout(DEADLINE_MS),
  });
  const body: unknown = response.ok ? await response.json().catch(() => null) : null;
  if (!response.ok) await response.body?.cancel();
  const parsed = listSchema.safeParse(body);
  return { status: response.status, models: parsed.success ? parsed.data.data.map(({ id }) => id) : [] };
}

async function answersBelow(backend: Backend): Promise<boolean> {
  const { status } = await listModels(backend, `${backend.baseUrl}/v1`).catch(() => ({ status: 0 }));
  return status === 200 || status === 401;
}

const MAX_NAMED = 5;

/** The names that share the longest beginning with the wanted one come first. */
function nearest(models: readonly string[], wanted: string): string[] {
  const shared = (name: string) => {
    let at = 0;
    while (at < name.length && name[at] === wanted[at]) at += 1;
    return at;
  };
  return models.toSorted((a, b) => shared(b) - shared(a)).slice(0, MAX_NAMED);
}

/** `fetch` says only "fetch failed"; the cause names the reason. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}
