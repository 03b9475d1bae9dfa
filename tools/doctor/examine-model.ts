import { z } from "zod";
import { asFault } from "@agentswarm/contracts";
import { configuresModel, modelSettings, resolveBackends, type Backend } from "@agentswarm/llm";
import { parseEnv, type Environment } from "@agentswarm/service";
import { fail, ok, warn, type Finding } from "./finding.ts";

const NAME = "model";
const DEADLINE_MS = 10_000;

/** Examines every configured backend by requesting its list of models. */
export async function examineModel(env: Environment): Promise<Finding[]> {
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
    return await Promise.all(backends.map(examineBackend));
  } catch (error) {
    return [fail(NAME, asFault(error).message, "correct the settings of the model")];
  }
}

async function examineBackend({ name, baseUrl, apiKey, model }: Backend): Promise<Finding> {
  const where = `${name} (${baseUrl})`;
  try {
    const response = await fetch(`${baseUrl}/models`, {
      headers: { authorization: `Bearer ${apiKey}` },
      signal: AbortSignal.timeout(DEADLINE_MS),
    });
    await response.body?.cancel();
    if (response.status === 401 || response.status === 403)
      return fail(NAME, `${where} refuses the key (${response.status})`, "correct its key");
    if (!response.ok)
      return warn(NAME, `${where} answered ${response.status}`, "it may still serve chat completions");
    return ok(NAME, `${model} at ${where}`);
  } catch (error) {
    return fail(NAME, `${where} cannot be reached: ${(error as Error).message}`, "correct its URL");
  }
}
