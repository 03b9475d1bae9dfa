import OpenAI from "openai";
import { Fault } from "@agentswarm/contracts";
import { estimateUsage, pricesOf, readUsage, type Prices, type Usage } from "./usage.ts";

export interface Message {
  readonly role: "system" | "user" | "assistant";
  readonly content: string;
}

export interface Answer {
  readonly text: string;
  readonly usage: Usage;
}

/** One backend, for the calls the services make themselves. Agents go through the dispatcher's gateway. */
export interface Model {
  readonly name: string;
  /** Asks for an answer in JSON. Throws Fault `model.unavailable` (retryable) or `model.refused`. */
  complete(messages: readonly Message[], signal?: AbortSignal): Promise<Answer>;
}

export interface ModelOptions {
  readonly baseUrl: string;
  readonly apiKey: string;
  readonly model: string;
  readonly maxTokens: number;
  readonly temperature: number;
  /** US dollars per million tokens; by default the list prices of the model. */
  readonly prices?: Prices;
}

const TIMEOUT_MS = 600_000;

export function createModel(options: ModelOptions): Model {
  // The queue retries a call that failed; a second layer of retries here would multiply them.
  const client = new OpenAI({
    baseURL: options.baseUrl,
    apiKey: options.apiKey,
    maxRetries: 0,
    timeout: TIMEOUT_MS,
  });
  const prices = options.prices ?? pricesOf(options.model);
  return {
    name: options.model,
    async complete(messages, signal) {
      try {
        const completion = await client.chat.completions.create(
          {
            model: options.model,
            messages: [...messages],
            max_tokens: options.maxTokens,
            temperature: options.temperature,
            response_format: { type: "json_object" },
          },
          signal === undefined ? {} : { signal },
        );
        const [choice] = completion.choices;
        const text = choice?.message.content ?? "";
        const asked = messages.map((message) => message.content).join("\n");
        return { text, usage: readUsage(completion.usage, prices) ?? estimateUsage(asked, text, prices) };
      } catch (error) {
        throw asFault(error);
      }
    },
  };
}

const RETRYABLE = new Set([408, 409, 425, 429, 500, 502, 503, 504, 524, 529]);

function asFault(cause: unknown): Fault {
  if (!(cause instanceof OpenAI.APIError) || cause instanceof OpenAI.APIUserAbortError)
    return Fault.from(cause);
  // Without a status nothing was answered at all: refused, reset, timed out.
  if (cause.status === undefined || RETRYABLE.has(cause.status)) {
    const seconds = Number(cause.headers?.get("retry-after") ?? Number.NaN);
    return new Fault("model.unavailable", `the model is not available: ${cause.message}`, {
      retryable: true,
      cause,
      ...(Number.isFinite(seconds) ? { retryAfterMs: seconds * 1_000 } : {}),
    });
  }
  return new Fault("model.refused", `the model refused the request (${cause.status}): ${cause.message}`, {
    cause,
  });
}
