import { fail, ok, warn, type Finding } from "./finding.ts";

const NAME = "model";
const DEADLINE_MS = 10_000;

/** Asks the configured endpoint for its list of models. */
export async function examineModel(env: NodeJS.ProcessEnv): Promise<Finding> {
  const endpoint = env["RUNPOD_ENDPOINT_ID"];
  const baseUrl =
    env["LLM_BASE_URL"] || (endpoint ? `https://api.runpod.ai/v2/${endpoint}/openai/v1` : undefined);
  const key = env["LLM_API_KEY"] || env["RUNPOD_API_KEY"];
  if (baseUrl === undefined) {
    return warn(
      NAME,
      "none configured: recorded answers are played, which fit the demo only",
      "set LLM_BASE_URL, LLM_API_KEY and LLM_MODEL, or RUNPOD_ENDPOINT_ID and RUNPOD_API_KEY",
    );
  }
  try {
    const response = await fetch(`${baseUrl.replace(/\/$/, "")}/models`, {
      headers: key ? { authorization: `Bearer ${key}` } : {},
      signal: AbortSignal.timeout(DEADLINE_MS),
    });
    await response.body?.cancel();
    if (response.status === 401 || response.status === 403) {
      return fail(
        NAME,
        `${baseUrl} refuses the key (${response.status})`,
        "correct LLM_API_KEY or RUNPOD_API_KEY",
      );
    }
    if (!response.ok) {
      return warn(
        NAME,
        `${baseUrl}/models answered ${response.status}`,
        "it may still serve chat completions",
      );
    }
    return ok(NAME, `${env["LLM_MODEL"] || "glm-5"} at ${baseUrl}`);
  } catch (error) {
    return fail(NAME, `${baseUrl} cannot be reached: ${(error as Error).message}`, "correct LLM_BASE_URL");
  }
}
