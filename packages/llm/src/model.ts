import { z } from "zod";
import { Fault, type Role } from "@agentswarm/contracts";
import type { Backend } from "./backends/backend.ts";
import type { Prices } from "./backends/models.ts";
import type { Recorder } from "./record/recorder.ts";
import { retryAfterMs } from "./router/retry.ts";
import type { Answer, Router } from "./router/router.ts";
import { estimateTokens, estimateUsage, readUsage, type Usage } from "./usage.ts";

export interface Message {
  readonly role: "system" | "user" | "assistant";
  readonly content: string;
}

export interface Asking {
  readonly messages: readonly Message[];
  readonly role: Role;
  /** JSON schema of the answer; backends that can be made to keep to one are. */
  readonly schema: object;
  readonly signal?: AbortSignal | undefined;
}

/** The model, for the calls the services make themselves. Agents go through the dispatcher's gateway. */
export interface Model {
  readonly name: string;
  /** The most that a call may be charged by. */
  readonly prices: Prices;
  /** Asks for an answer in JSON. Throws Fault `model.unavailable` (retryable) or `model.refused`. */
  complete(asking: Asking): Promise<{ text: string; usage: Usage }>;
  readonly recorder?: Recorder | undefined;
}

export interface ModelOptions {
  readonly maxTokens: number;
  readonly temperature: number;
  /** Gets every answer that is made use of, where a run is recorded. */
  readonly recorder?: Recorder | undefined;
}

const completionSchema = z.object({
  choices: z
    .array(
      z.object({
        message: z.object({ content: z.string().nullish(), reasoning_content: z.string().nullish() }),
      }),
    )
    .default([]),
  usage: z.unknown(),
});

export function createModel(router: Router, options: ModelOptions): Model {
  return {
    name: router.model,
    prices: router.prices,
    recorder: options.recorder,
    async complete({ messages, role, schema, signal }) {
      const asked = messages.map((message) => message.content).join("\n");
      const body = ({ jsonSchema }: Backend) => ({
        messages,
        max_tokens: options.maxTokens,
        temperature: options.temperature,
        response_format: jsonSchema
          ? { type: "json_schema", json_schema: { name: "answer", schema } }
          : { type: "json_object" },
      });
      const order = { role, body, tokens: estimateTokens(asked), streamed: false } as const;
      // The queue retries a call that failed; a second layer of retries here would multiply them.
      const answer = await router
        .ask({ ...order, manner: "once", signal: signal ?? new AbortController().signal })
        .catch((error: unknown) => {
          throw Fault.from(error);
        });
      if (answer.kind !== "whole") throw faultOf(answer);
      return read(asked, answer);
    },
  };
}

function read(
  asked: string,
  { completion, backend }: Extract<Answer, { kind: "whole" }>,
): { text: string; usage: Usage } {
  const { name, model, prices } = backend;
  const parsed = completionSchema.safeParse(completion);
  if (!parsed.success)
    throw new Fault("model.unavailable", `${name} gave no chat completion`, { retryable: true });
  const message = parsed.data.choices[0]?.message;
  // What was thought aloud is paid for, and is no part of the answer.
  const text = message?.content ?? "";
  const said = `${message?.reasoning_content ?? ""}${text}`;
  const usage = readUsage(parsed.data.usage, prices) ?? estimateUsage(asked, said, prices);
  return { text, usage: { ...usage, backend: name, model } };
}

function faultOf(answer: Exclude<Answer, { kind: "whole" }>): Fault {
  if (answer.kind === "stream") return new Fault("internal", "a stream came where none was asked for");
  const { status, unavailable, message, retryAfter } = answer;
  const why = `${status} ${wordsOf(message)}`;
  if (!unavailable) return new Fault("model.refused", `the model refused the request: ${why}`);
  const ms = retryAfterMs(retryAfter, Date.now());
  return new Fault("model.unavailable", `the model is not available: ${why}`, {
    retryable: true,
    ...(ms === null ? {} : { retryAfterMs: ms }),
  });
}

/** What a refusal's body says to people. */
function wordsOf(body: string): string {
  try {
    const { error } = JSON.parse(body) as { error?: { message?: unknown } };
    return typeof error?.message === "string" ? error.message : body;
  } catch {
    return body;
  }
}
