import { once } from "node:events";
import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import { DOOR, type CallEstimate } from "@agentswarm/contracts";
import {
  estimateCall,
  estimatePrompt,
  NO_USAGE,
  roughTokens,
  type Recorder,
  type Router,
  type Usage,
} from "@agentswarm/llm";
import type { Logger } from "@agentswarm/service";
import { discardBody, readBounded } from "../bounded-body.ts";
import type { BodyCount } from "../door-account.ts";
import { openExchangeRecorder } from "./exchange-recorder.ts";
import { guardCompletion, guardStream } from "./guard-tool-calls.ts";
import { openMeter, type Meter } from "./meter.ts";
import { boundRequest, readChatRequest } from "./chat-request.ts";
import type { AttemptKey } from "./attempt-key.ts";
import { openKeyIssuer, type KeyIssuer } from "./key-issuer.ts";

/** The model as sandboxes see it: metered, bounded, and asked with a key that is valid at one door only. */
export interface Gateway {
  issue: KeyIssuer["issue"];
  /** Answers a request for a chat completion at the door that `own` was issued for. */
  complete(
    own: AttemptKey,
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    count: BodyCount,
  ): Promise<void>;
  /** Answers a request for the list of models, which has one. */
  list(own: AttemptKey, stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void;
}

/** The status of a call for which no budget is left. */
const PAYMENT_REQUIRED = 402;

export interface GatewayOptions {
  /** The model's name towards agents; backends may have other names for it. */
  readonly model: string;
  readonly maxTokens: number;
  readonly log: Logger;
  /** Records every exchange; absent: no recording. */
  readonly recorder?: Recorder | undefined;
}

export function createGateway(router: Router, options: GatewayOptions): Gateway {
  const issuer = openKeyIssuer();
  const { log, maxTokens, model, recorder } = options;

  /** Whether the caller has the key of this door; refuses the call if not. */
  const admit = (own: AttemptKey, stream: ServerHttp2Stream, headers: IncomingHttpHeaders): boolean => {
    const found = issuer.find(headers.authorization);
    if (found === own) return true;
    const status = found === null ? 401 : 403;
    log.warn({ ...own.ids, status }, "model call refused: the key is not the one of this attempt");
    refuse(
      stream,
      status,
      found === null ? "this key is unknown or expired" : "this key belongs to another attempt",
    );
    return false;
  };

  return {
    issue: (order) => issuer.issue(order),
    list(own, stream, headers) {
      if (!admit(own, stream, headers)) return;
      stream.respond({ ":status": 200, "content-type": "application/json" });
      stream.end(JSON.stringify({ object: "list", data: [{ id: model, object: "model" }] }));
    },
    async complete(own, stream, headers, count) {
      const { maxBytes } = DOOR.chatCompletions.body;
      // The body is kept only for a call that its key allows.
      if (!admit(own, stream, headers)) return discardBody(stream, maxBytes, count);
      const begun = own.begin();
      if (begun.kind === "exhausted") {
        log.info({ ...own.ids, level: "task", why: begun.why }, "model call refused: budget reached");
        refuse(stream, PAYMENT_REQUIRED, begun.why);
        return discardBody(stream, maxBytes, count);
      }
      if (begun.kind === "crowded") {
        refuse(stream, 429, "too many calls at once", "1");
        return discardBody(stream, maxBytes, count);
      }
      const text = await readText(own, stream, maxBytes, count);
      const read = readChatRequest(text);
      if (read.kind === "invalid" || read.request.model !== model) {
        own.withdraw();
        if (read.kind === "invalid") return refuse(stream, 400, read.why);
        return refuse(stream, 403, `only the model ${model} is allowed`);
      }
      const { request: body, dropped } = read;
      if (dropped.length > 0) log.debug({ ...own.ids, fields: dropped }, "fields of a model call dropped");

      const gone = new AbortController();
      stream.once("close", () => gone.abort(new Error("the sandbox is gone")));
      const streamed = body.stream === true;
      const asked = boundRequest(body, streamed, maxTokens);
      const estimate = estimateCall(text, asked.max_tokens, router.prices);
      const reserved = await reserve(own, stream, estimate, gone.signal);
      if (reserved === null) return;
      if (reserved.kind === "exhausted") {
        log.info(
          { ...own.ids, level: reserved.level, why: reserved.why },
          "model call refused: budget reached",
        );
        return refuse(stream, PAYMENT_REQUIRED, reserved.why);
      }
      let usage: Usage = NO_USAGE;
      let unavailable: string | undefined;
      try {
        const answer = await router.ask({
          role: own.role,
          body: () => asked,
          tokens: roughTokens(text),
          streamed,
          retry: "patient",
          signal: gone.signal,
        });
        if (answer.kind === "refused") {
          if (answer.unavailable) unavailable = `the model gave no answer: ${answer.why}`;
          // A redirect of the backend is none for the agent.
          const status = answer.status < 400 ? 502 : answer.status;
          return refuse(stream, status, answer.message, answer.retryAfter);
        }
        const exchange = recorder === undefined ? null : openExchangeRecorder(recorder, body, log);
        const meter = openMeter({
          backend: answer.backend,
          outwardModel: model,
          prompt: () => ({ tokensIn: estimatePrompt(asked), cachedShare: cachedShareOf(own) }),
          onEvent: exchange?.onEvent,
        });
        try {
          if (answer.kind === "whole") relayWhole(stream, guardCompletion(answer.completion), meter);
          else await relayStream(stream, guardStream(answer.events), meter, gone.signal);
          await exchange?.save(own.key);
        } catch (error) {
          // Bytes were passed on, so a retry is impossible: the reader must see a broken stream.
          if (!gone.signal.aborted) unavailable = `the model's answer broke off: ${String(error)}`;
          // `close` would end the stream first, and the answer would look complete.
          stream.destroy(new Error("the model's answer broke off"));
        } finally {
          usage = meter.usage();
        }
      } catch (error) {
        if (!gone.signal.aborted) throw error;
      } finally {
        own.charge(usage, unavailable);
        await reserved.commitReservation(usage);
      }
    },
  };
}

/** The share of its prompts that the backend has taken from its cache in this attempt, whose prompts only grow. */
function cachedShareOf(own: AttemptKey): number {
  const { tokensIn, tokensCached } = own.usage();
  return tokensIn === 0 ? 0 : tokensCached / tokensIn;
}

/** Reserves the estimate of a call that was begun. Null when the budget does not answer: the call is refused then. */
async function reserve(
  own: AttemptKey,
  stream: ServerHttp2Stream,
  estimate: CallEstimate,
  gone: AbortSignal,
) {
  try {
    const reserved = await own.budget.reserve(estimate, gone);
    if (reserved.kind === "exhausted") own.forbid(reserved.level, reserved.why);
    return reserved;
  } catch (error) {
    const why = `the budget could not be read: ${String(error)}`;
    own.charge(NO_USAGE, gone.aborted ? undefined : why);
    refuse(stream, 503, why);
    return null;
  }
}

/** Reads the body of a call that was begun; withdraws the call when that fails. */
async function readText(
  own: AttemptKey,
  stream: ServerHttp2Stream,
  maxBytes: number,
  count: BodyCount,
): Promise<string> {
  try {
    return (await readBounded(stream, maxBytes, count)).toString();
  } catch (error) {
    own.withdraw();
    throw error;
  }
}

function relayWhole(stream: ServerHttp2Stream, completion: object, meter: Meter): void {
  const text = meter.relay(completion);
  if (stream.destroyed) return;
  stream.respond({ ":status": 200, "content-type": "application/json" });
  stream.end(text);
}

async function relayStream(
  stream: ServerHttp2Stream,
  events: AsyncGenerator<object>,
  meter: Meter,
  gone: AbortSignal,
): Promise<void> {
  if (!stream.destroyed) stream.respond({ ":status": 200, "content-type": "text/event-stream" });
  for await (const event of events) {
    const text = meter.relay(event);
    if (stream.destroyed) return;
    if (!stream.write(`data: ${text}\n\n`)) await once(stream, "drain", { signal: gone });
  }
  stream.end("data: [DONE]\n\n");
}

function refuse(
  stream: ServerHttp2Stream,
  status: number,
  message: string,
  retryAfter: string | null = null,
): void {
  if (stream.destroyed || stream.headersSent) return;
  const headers = {
    "content-type": "application/json",
    ...(retryAfter === null ? {} : { "retry-after": retryAfter }),
  };
  stream.respond({ ":status": status, ...headers });
  stream.end(JSON.stringify({ error: { message } }));
}
