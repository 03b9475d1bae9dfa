import { setTimeout as sleep } from "node:timers/promises";
import { readStream, type Streamed } from "./read-stream.ts";

export interface Endpoint {
  readonly baseUrl: string;
  readonly apiKey: string;
  readonly model: string;
}

export interface EndpointReport {
  /** What the server lists; null when it lists nothing, which some do not. */
  readonly models: readonly string[] | null;
  readonly answer: Streamed | null;
  /** What would stand in an agent's way; empty when it can work with this endpoint. */
  readonly problems: readonly string[];
}

/** How long a server that is still loading is waited for, and how often it is asked. */
export interface Patience {
  readonly withinMs: number;
  readonly pauseMs: number;
}

type Listed = { readonly models: string[] | null } | { readonly problem: string };

const PATIENCE: Patience = { withinMs: 1_800_000, pauseMs: 5_000 };
const ANSWER_WITHIN_MS = 600_000;
const WORD = "lighthouse";
/** The key lets the recorded model find its answer. */
const PROMPT = `Swarm-Key: check/endpoint/work
Call the tool "report" once, with the word "${WORD}". Say nothing else.`;

const TOOL = {
  type: "function",
  function: {
    name: "report",
    description: "Reports one word.",
    parameters: {
      type: "object",
      properties: { word: { type: "string" } },
      required: ["word"],
      additionalProperties: false,
    },
  },
};

/** Tries what agents need of a model's server: its list, its key, and a streamed answer that calls a tool. */
export async function checkEndpoint(endpoint: Endpoint, patience = PATIENCE): Promise<EndpointReport> {
  const listed = await listModels(endpoint, patience);
  if ("problem" in listed) return { models: null, answer: null, problems: [listed.problem] };
  try {
    const answer = await askForTool(endpoint);
    return { models: listed.models, answer, problems: judge(answer) };
  } catch (error) {
    return { models: listed.models, answer: null, problems: [(error as Error).message] };
  }
}

const headersOf = ({ apiKey }: Endpoint) => ({
  authorization: `Bearer ${apiKey}`,
  "content-type": "application/json",
});

/** Asks for the list until the server is up: one that scales to zero refuses, or lets go of callers, while it loads. */
async function listModels(endpoint: Endpoint, patience: Patience): Promise<Listed> {
  const until = performance.now() + patience.withinMs;
  for (;;) {
    const listed = await listOnce(endpoint);
    if (!("loading" in listed)) return listed;
    if (performance.now() + patience.pauseMs > until)
      return { problem: `${endpoint.baseUrl}/models: ${listed.loading}` };
    await sleep(patience.pauseMs);
  }
}

async function listOnce(endpoint: Endpoint): Promise<Listed | { loading: string }> {
  try {
    const response = await fetch(`${endpoint.baseUrl}/models`, { headers: headersOf(endpoint) });
    const body = await response.text();
    const { status } = response;
    if (status === 401 || status === 403)
      return { problem: `the key is refused (${status}): correct LLM_API_KEY or RUNPOD_API_KEY` };
    if (status === 429 || status >= 500 || /no workers available/i.test(body))
      return { loading: `answered ${status}: ${body.slice(0, 200)}` };
    if (!response.ok) return { models: null };
    const { data } = JSON.parse(body) as { data: { id: string }[] };
    return { models: data.map((model) => model.id) };
  } catch (error) {
    const { message, cause } = error as Error & { cause?: Error & { code?: string } };
    const said = cause?.message || cause?.code || message;
    if (cause?.code === "UND_ERR_HEADERS_TIMEOUT") return { loading: said };
    return { problem: `${endpoint.baseUrl}/models: ${said}` };
  }
}

async function askForTool(endpoint: Endpoint): Promise<Streamed> {
  const askedAt = performance.now();
  const response = await fetch(`${endpoint.baseUrl}/chat/completions`, {
    method: "POST",
    headers: headersOf(endpoint),
    signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    body: JSON.stringify({
      model: endpoint.model,
      messages: [{ role: "user", content: PROMPT }],
      tools: [TOOL],
      max_tokens: 4_096,
      temperature: 0,
      stream: true,
      stream_options: { include_usage: true },
    }),
  });
  if (!response.ok || response.body === null)
    throw new Error(
      `/chat/completions answered ${response.status}: ${(await response.text()).slice(0, 500)}`,
    );
  return readStream(response.body, askedAt);
}

function judge({ toolCall, text, completionTokens, finishReason }: Streamed): string[] {
  const problems: string[] = [];
  if (toolCall === null)
    problems.push(
      `no tool was called, it said: ${JSON.stringify(text.slice(0, 200))} (is its tool parser on?)`,
    );
  else if (toolCall.name !== "report" || wordIn(toolCall.args) !== WORD)
    problems.push(
      `the tool was called otherwise than asked: ${toolCall.name} ${toolCall.args.slice(0, 200)}`,
    );
  if (finishReason === null) problems.push("the stream ended without a reason");
  if (completionTokens === null) problems.push("no usage at the stream's end: costs will be estimates");
  return problems;
}

function wordIn(args: string): unknown {
  try {
    return (JSON.parse(args) as { word?: unknown }).word;
  } catch {
    return null;
  }
}

/** Tokens a second from the first to the last; null where it cannot be told. */
export function speedOf({ completionTokens, firstTokenMs, lastTokenMs }: Streamed): number | null {
  const seconds = (lastTokenMs - firstTokenMs) / 1_000;
  if (completionTokens === null || completionTokens < 2 || seconds <= 0) return null;
  return (completionTokens - 1) / seconds;
}
