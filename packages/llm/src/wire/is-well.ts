import type { Backend } from "../backends/backend.ts";

/**
 * Whether a backend answers and takes our key, asked by its list of models. Some have no such list; that they say so
 * is sign enough.
 */
export async function isWell({ baseUrl, apiKey }: Backend, withinMs: number): Promise<boolean> {
  const response = await fetch(`${baseUrl}/models`, {
    headers: { authorization: `Bearer ${apiKey}` },
    redirect: "error",
    signal: AbortSignal.timeout(withinMs),
  });
  await response.body?.cancel();
  return response.ok || response.status === 404 || response.status === 405;
}
