/** The JSON object of a request's body; null when it is anything else. */
export function readRequest(text: string): Record<string, unknown> | null {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === "object" && parsed !== null && !Array.isArray(parsed)
      ? (parsed as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
}

/** A request with a bounded answer. */
export type BoundedRequest = Record<string, unknown> & { max_tokens: number };

/** The request for the backend: one answer of bounded length, with its usage. */
export function boundRequest(
  body: Record<string, unknown>,
  streamed: boolean,
  maxTokens: number,
): BoundedRequest {
  const { max_completion_tokens: alias, n: _, ...rest } = body;
  const wanted = Number(rest["max_tokens"] ?? alias);
  const max = Number.isFinite(wanted) && wanted > 0 ? Math.min(wanted, maxTokens) : maxTokens;
  return { ...rest, max_tokens: max, ...(streamed ? { stream_options: { include_usage: true } } : {}) };
}
