import type { Backend } from "../backends/backend.ts";

/**
 * Whether a backend answers and accepts the key, tested by `GET /models`. A backend without that route is healthy when
 * it answers 404 or 405.
 */
export async function isHealthy({ baseUrl, apiKey }: Backend, timeoutMs: number): Promise<boolean> {
  const response = await fetch(`${baseUrl}/models`, {
    headers: { authorization: `Bearer ${apiKey}` },
    redirect: "error",
    signal: AbortSignal.timeout(timeoutMs),
  });
  await response.body?.cancel();
  return response.ok || response.status === 404 || response.status === 405;
}
