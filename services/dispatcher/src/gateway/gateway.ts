import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import { setTimeout as sleep } from "node:timers/promises";
import { estimateUsage, pricesOf, readUsage, type ModelEndpoint, type Prices } from "@agentswarm/llm";
import { readBody } from "../read-body.ts";
import { guardCompletion, guardStream } from "./guard-tool-calls.ts";
import { readEvents } from "./sse.ts";
import { openTicketOffice, type Ticket, type TicketOffice } from "./ticket.ts";

/** The model as sandboxes see it: metered, capped, and with a key that is worth nothing elsewhere. */
export interface Gateway {
  issue: TicketOffice["issue"];
  complete(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): Promise<void>;
}

const MAX_REQUEST_BYTES = 64 * 1024 * 1024;
const TRIES = 5;
const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 30_000;
const RETRYABLE = new Set([408, 409, 425, 429, 500, 502, 503, 504, 524, 529]);

export function createGateway(endpoint: ModelEndpoint): Gateway {
  const office = openTicketOffice();
  const prices = pricesOf(endpoint.model);
  return {
    issue: (order) => office.issue(order),
    async complete(stream, headers) {
      const ticket = office.find(headers.authorization);
      if (ticket === null) return refuse(stream, 401, "this key is not known here");
      const exhausted = ticket.exhausted();
      if (exhausted !== null) return refuse(stream, 402, exhausted);
      const body = JSON.parse((await readBody(stream, MAX_REQUEST_BYTES)).toString()) as Record<string, unknown>;
      if (body["model"] !== endpoint.model) return refuse(stream, 403, `only the model ${endpoint.model} is allowed`);

      const gone = new AbortController();
      stream.once("close", () => gone.abort("the sandbox is gone"));
      const streamed = body["stream"] === true;
      const asked = JSON.stringify({ ...body, ...(streamed ? { stream_options: { include_usage: true } } : {}) });
      const response = await ask(endpoint, asked, gone.signal);
      if (!response.ok || response.body === null) {
        const text = await response.text();
        return refuse(stream, response.status, text.slice(0, 4_000), response.headers.get("retry-after"));
      }
      const reply = { stream, response, ticket, asked, prices };
      await (streamed ? relayStream(reply) : relayWhole(reply));
    },
  };
}

interface Reply {
  readonly stream: ServerHttp2Stream;
  readonly response: Response;
  readonly ticket: Ticket;
  readonly asked: string;
  readonly prices: Prices;
}

/** Asks the backend; what fails before a byte was passed on is tried again here, and nowhere else. */
async function ask(endpoint: ModelEndpoint, body: string, signal: AbortSignal): Promise<Response> {
  for (let tries = 1; ; tries += 1) {
    const response = await fetch(`${endpoint.baseUrl}/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${endpoint.apiKey}` },
      body,
      signal,
    }).catch((error: unknown) => {
      if (signal.aborted || tries === TRIES) throw error;
      return null;
    });
    if (response !== null && (!RETRYABLE.has(response.status) || tries === TRIES)) return response;
    await response?.body?.cancel();
    await sleep(waitMs(tries, response?.headers.get("retry-after") ?? null), undefined, { signal });
  }
}

function waitMs(tries: number, retryAfter: string | null): number {
  const seconds = Number(retryAfter ?? Number.NaN);
  if (Number.isFinite(seconds)) return Math.min(seconds * 1_000, LONGEST_WAIT_MS);
  return Math.min(FIRST_WAIT_MS * 2 ** tries, LONGEST_WAIT_MS) * (0.5 + Math.random() / 2);
}

async function relayWhole({ stream, response, ticket, asked, prices }: Reply): Promise<void> {
  const text = await response.text();
  const completion = guardCompletion(JSON.parse(text) as object);
  const { usage } = completion as { usage?: unknown };
  ticket.charge(readUsage(usage, prices) ?? estimateUsage(asked, text, prices));
  stream.respond({ ":status": 200, "content-type": "application/json" });
  stream.end(JSON.stringify(completion));
}

async function relayStream({ stream, response, ticket, asked, prices }: Reply): Promise<void> {
  stream.respond({ ":status": 200, "content-type": "text/event-stream" });
  let said = "";
  let usage: unknown;
  try {
    for await (const chunk of guardStream(readEvents(response.body as ReadableStream<Uint8Array>))) {
      const text = JSON.stringify(chunk);
      said += text;
      usage = (chunk as { usage?: unknown }).usage ?? usage;
      if (stream.destroyed) break;
      stream.write(`data: ${text}\n\n`);
    }
    stream.end("data: [DONE]\n\n");
  } catch {
    // Bytes were passed on already, so nothing can be tried again: the reader sees a stream that breaks off.
    stream.close();
  } finally {
    ticket.charge(readUsage(usage, prices) ?? estimateUsage(asked, said, prices));
  }
}

function refuse(stream: ServerHttp2Stream, status: number, message: string, retryAfter: string | null = null): void {
  if (stream.destroyed) return;
  stream.respond({ ":status": status, "content-type": "application/json", ...(retryAfter === null ? {} : { "retry-after": retryAfter }) });
  stream.end(JSON.stringify({ error: { message } }));
}
