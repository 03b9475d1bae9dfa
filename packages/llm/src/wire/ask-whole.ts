import { Readable } from "node:stream";
import OpenAI, { APIError } from "openai";
import type { ChatCompletionCreateParamsNonStreaming } from "openai/resources";
import type { Backend } from "../backends/backend.ts";
import { post } from "./post.ts";

/** An HTTP answer that refuses a call; `message` is its body. */
export class RefusedByServer extends Error {
  readonly status: number;
  readonly retryAfter: string | null;
  constructor(status: number, body: string, retryAfter: string | null) {
    super(body);
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

/**
 * Asks for an answer in one piece with OpenAI's client. Its retries are off, because the router retries. It connects
 * through `post`, which has a connect timeout. Throws RefusedByServer for an answer that is no success.
 */
export async function askWhole(
  { baseUrl, apiKey }: Backend,
  body: object,
  options: { connectMs: number; timeoutMs: number; signal: AbortSignal },
): Promise<object> {
  const { connectMs, timeoutMs, signal } = options;
  const client = new OpenAI({
    baseURL: baseUrl,
    apiKey,
    maxRetries: 0,
    timeout: timeoutMs,
    fetch: async (_url, init) => {
      const text = typeof init?.body === "string" ? init.body : "";
      const response = await post(`${baseUrl}/chat/completions`, { apiKey, body: text, connectMs, signal });
      const headers = Object.entries(response.headers).map(([name, value]): [string, string] => [
        name,
        String(value),
      ]);
      return new Response(Readable.toWeb(response) as ReadableStream, {
        status: response.statusCode ?? 502,
        headers,
      });
    },
  });
  try {
    return await client.chat.completions.create(body as ChatCompletionCreateParamsNonStreaming);
  } catch (error) {
    if (!(error instanceof APIError) || error.status === undefined) throw causeOf(error);
    // The message of a body that is not JSON begins with the status.
    const text = error.message.replace(`${error.status} `, "");
    const refusal = error.error === undefined ? text : JSON.stringify({ error: error.error });
    throw new RefusedByServer(error.status, refusal, error.headers?.get("retry-after") ?? null);
  }
}

/** The client wraps the errors of its `fetch` in "Connection error". */
function causeOf(error: unknown): unknown {
  return error instanceof Error && error.cause instanceof Error ? error.cause : error;
}
