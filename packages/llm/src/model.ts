import { z } from "zod";
import { asFault, Fault, type Role } from "@agentswarm/contracts";
import type { Backend } from "./backends/backend.ts";
import type { Prices } from "./backends/models.ts";
import type { Recorder } from "./record/recorder.ts";
import { retryAfterMs } from "./router/retry-delay.ts";
import { operatorFault } from "./wire/describe-refusal.ts";
import { isOperatorCause } from "./wire/judge-refusal.ts";
import type { Router, RouterAnswer } from "./router/router.ts";
import { answerText, estimatePrompt } from "./usage/call-texts.ts";
import { estimateTokens } from "./usage/estimate-tokens.ts";
import { roughTokens } from "./usage/fit-tokens.ts";
import { measureUsage } from "./usage/measure-usage.ts";
import type { Usage } from "./usage/usage.ts";

export interface Message {
  readonly role: "system" | "user" | "assistant";
  readonly content: string;
}

/** One call for an answer in JSON. */
export interface CompletionRequest {
  readonly messages: readonly Message[];
  readonly role: Role;
  /** JSON schema of the answer, for backends that can enforce one. */
  readonly schema: object;
  readonly signal?: AbortSignal | undefined;
}

/** The model, for the services' own calls. Agents use the dispatcher's gateway. */
export interface Model {
  readonly name: string;
  /** The highest prices that a call may be charged at. */
  readonly prices: Prices;
  /** Asks for an answer in JSON. Throws Fault `model.unavailable` (retryable) or `model.refused`. */
  complete(request: CompletionRequest): Promise<{ text: string; usage: Usage }>;
  readonly recorder?: Recorder | undefined;
}

export interface ModelOptions {
  readonly maxTokens: number;
  readonly temperature: number;
  /** Records every answer that is used, when a run is recorded. */
  readonly recorder?: Recorder | undefined;
}

const completionSchema = z.object({
  choices: z
    .array(
      z.object({
        message: z.object({ content: z.string().nullish() }),
      }),
    )
    .default([]),
  // Some servers leave it out; zod refuses a missing key of `unknown`.
  usage: z.unknown().optional(),
});

export function createModel(router: Router, options: ModelOptions): Model {
  return {
    name: router.model,
    prices: router.prices,
    recorder: options.recorder,
    async complete({ messages, role, schema, signal }) {
      const prompt = messages.map((message) => message.content).join("\n");
      const body = ({ jsonSchema }: Backend) => ({
        messages,
        max_tokens: options.maxTokens,
        temperature: options.temperature,
        response_format: jsonSchema
          ? { type: "json_schema", json_schema: { name: "answer", schema } }
          : { type: "json_object" },
      });
      // The queue retries a failed job; retries here would multiply them.
      const answer = await router
        .ask({
          role,
          body,
          tokens: roughTokens(prompt),
          streamed: false,
          retry: "once",
          signal: signal ?? new AbortController().signal,
        })
        .catch((error: unknown) => {
          throw asFault(error);
        });
      if (answer.kind !== "whole") throw faultOf(answer);
      return readAnswer(messages, answer);
    },
  };
}

function readAnswer(
  messages: readonly Message[],
  { completion, backend }: Extract<RouterAnswer, { kind: "whole" }>,
): { text: string; usage: Usage } {
  const { name, model, prices } = backend;
  const parsed = completionSchema.safeParse(completion);
  if (!parsed.success)
    throw new Fault("model.unavailable", `backend ${name} answered without a chat completion`, {
      retryable: true,
    });
  const estimate = () => ({
    tokensIn: estimatePrompt({ messages }),
    // With the reasoning, which is charged but is no part of the answer.
    tokensOut: estimateTokens(answerText(completion)),
  });
  const usage = measureUsage(parsed.data.usage, estimate, prices);
  return { text: parsed.data.choices[0]?.message.content ?? "", usage: { ...usage, backend: name, model } };
}

function faultOf(answer: Exclude<RouterAnswer, { kind: "whole" }>): Fault {
  if (answer.kind === "stream")
    return new Fault("internal", "the router returned a stream for a call that was not streamed");
  const { cause, unavailable, why, retryAfter } = answer;
  const ms = retryAfterMs(retryAfter, Date.now());
  if (isOperatorCause(cause)) return operatorFault(why, ms ?? undefined);
  if (!unavailable) return new Fault("model.refused", `the model refused the request: ${why}`);
  return new Fault("model.unavailable", `the model is not available: ${why}`, {
    retryable: true,
    ...(ms === null ? {} : { retryAfterMs: ms }),
  });
}
