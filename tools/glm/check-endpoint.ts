import { setTimeout as sleep } from "node:timers/promises";
import { readStream, type Streamed } from "./read-stream.ts";

export interface Endpoint {
  readonly baseUrl: string;
  readonly apiKey: string;
  readonly model: string;
}

export interface EndpointReport {
  /** The models that the server lists; null for a server without a list. */
  readonly models: readonly string[] | null;
  readonly answer: Streamed | null;
  /** The reasons why an agent cannot work with this endpoint; empty when it can. */
  readonly problems: readonly string[];
}

/** The wait for a server that is still loading, in milliseconds. */
export interface LoadingWait {
  readonly timeoutMs: number;
  readonly pauseMs: number;
}

type Listed = { readonly models: string[] | null } | { readonly problem: string };

const LOADING_WAIT: LoadingWait = { timeoutMs: 1_800_000, pauseMs: 5_000 };
const ANSWER_TIMEOUT_MS = 600_000;
const WORD = "lighthouse";
/** The Swarm-Key lets the recorded model find its answer. */
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

/** Tests a model's server as agents use it: its list of models, its key, and a streamed answer that calls a tool. */
export async function checkEndpoint(endpoint: Endpoint, wait = LOADING_WAIT): Promise<EndpointReport> {
  const listed = await listModels(endpoint, wait);
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

/** Requests the list until the server is up. One that scales to zero refuses or drops requests while it loads. */
async function listModels(endpoint: Endpoint, wait: LoadingWait): Promise<Listed> {
  const until = performance.now() + wait.timeoutMs;
  for (;;) {
    const listed = await listOnce(endpoint);
    if (!("loading" in listed)) return listed;
    if (performance.now() + wait.pauseMs > until)
      return { problem: `${endpoint.baseUrl}/models: ${listed.loading}` };
    await sleep(wait.pauseMs);
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
    signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
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
      `no tool was called; the answer was ${JSON.stringify(text.slice(0, 200))}: turn on the server's tool parser`,
    );
  else if (toolCall.name !== "report" || wordIn(toolCall.args) !== WORD)
    problems.push(
      `the tool was called with the wrong name or arguments: ${toolCall.name} ${toolCall.args.slice(0, 200)}`,
    );
  if (finishReason === null) problems.push("the stream ended without a finish_reason");
  if (completionTokens === null) problems.push("no usage at the end of the stream: costs will be estimates");
  return problems;
}

function wordIn(args: string): unknown {
  try {
    return (JSON.parse(args) as { word?: unknown }).word;
  } catch {
    return null;
  }
}

/** Tokens a second from the first token to the last; null when too few were counted. */
export function speedOf({ completionTokens, firstTokenMs, lastTokenMs }: Streamed): number | null {
  const seconds = (lastTokenMs - firstTokenMs) / 1_000;
  if (completionTokens === null || completionTokens < 2 || seconds <= 0) return null;
  return (completionTokens - 1) / seconds;
}
