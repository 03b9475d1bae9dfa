import { z } from "zod";

/**
 * The fields of a chat completion that an agent may send to a backend. Other fields are dropped: they may cost what no
 * price list knows, change how a server treats other callers, or make it fetch addresses.
 */
const textSchema = z.union([z.string(), z.array(z.object({ type: z.literal("text"), text: z.string() }))]);

const messageSchema = z.object({
  role: z.enum(["system", "developer", "user", "assistant", "tool"]),
  content: textSchema.nullish(),
  name: z.string().nullish(),
  tool_call_id: z.string().nullish(),
  tool_calls: z
    .array(
      z.object({
        index: z.int().nullish(),
        id: z.string().nullish(),
        type: z.literal("function").nullish(),
        function: z.object({ name: z.string(), arguments: z.string().nullish() }),
      }),
    )
    .nullish(),
  // The thoughts of earlier turns, by the names that models give them.
  reasoning_content: z.string().nullish(),
  reasoning: z.string().nullish(),
  reasoning_text: z.string().nullish(),
});

const functionSchema = z.object({
  name: z.string(),
  description: z.string().nullish(),
  parameters: z.record(z.string(), z.unknown()).nullish(),
  strict: z.boolean().nullish(),
});

const chatRequestSchema = z.object({
  model: z.string(),
  messages: z.array(messageSchema),
  tools: z.array(z.object({ type: z.literal("function"), function: functionSchema })).nullish(),
  tool_choice: z
    .union([
      z.enum(["none", "auto", "required"]),
      z.object({ type: z.literal("function"), function: z.object({ name: z.string() }) }),
    ])
    .nullish(),
  parallel_tool_calls: z.boolean().nullish(),
  temperature: z.number().nullish(),
  top_p: z.number().nullish(),
  presence_penalty: z.number().nullish(),
  frequency_penalty: z.number().nullish(),
  seed: z.int().nullish(),
  max_tokens: z.number().nullish(),
  max_completion_tokens: z.number().nullish(),
  stop: z.union([z.string(), z.array(z.string()).max(16)]).nullish(),
  stream: z.boolean().nullish(),
  stream_options: z.object({ include_usage: z.boolean().nullish() }).nullish(),
  response_format: z
    .union([
      z.object({ type: z.enum(["text", "json_object"]) }),
      z.object({
        type: z.literal("json_schema"),
        json_schema: z.object({
          name: z.string(),
          description: z.string().nullish(),
          schema: z.record(z.string(), z.unknown()).nullish(),
          strict: z.boolean().nullish(),
        }),
      }),
    ])
    .nullish(),
  reasoning_effort: z.string().max(32).nullish(),
  thinking: z
    .object({ type: z.enum(["enabled", "disabled"]), clear_thinking: z.boolean().optional() })
    .nullish(),
});
export type ChatRequest = z.infer<typeof chatRequestSchema>;

export type ReadChatRequest =
  /** `dropped`: the names of fields that are not passed on. */
  { kind: "request"; request: ChatRequest; dropped: readonly string[] } | { kind: "invalid"; why: string };

/** Deeper JSON would exhaust the stack when it is written again. */
const MAX_DEPTH = 100;
const MAX_WHY_CHARS = 1_000;

/** Reads the body of a request for a chat completion. Content other than text is refused. */
export function readChatRequest(text: string): ReadChatRequest {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return { kind: "invalid", why: "the body must be a JSON object" };
  }
  if (!isRecord(body)) return { kind: "invalid", why: "the body must be a JSON object" };
  if (isDeeper(body, MAX_DEPTH))
    return { kind: "invalid", why: `the body is nested deeper than ${MAX_DEPTH} levels` };
  const foreign = findForeignContent(body);
  if (foreign !== null) return { kind: "invalid", why: foreign };
  const parsed = chatRequestSchema.safeParse(body);
  if (!parsed.success) return { kind: "invalid", why: z.prettifyError(parsed.error).slice(0, MAX_WHY_CHARS) };
  const dropped = Object.keys(body).filter((name) => !(name in chatRequestSchema.shape));
  return { kind: "request", request: parsed.data, dropped };
}

type BoundRequest = Omit<ChatRequest, "max_tokens"> & { max_tokens: number };

/** The request for the backend: one answer of bounded length, with its usage. */
export function boundRequest(request: ChatRequest, streamed: boolean, maxTokens: number): BoundRequest {
  const { max_completion_tokens: alias, stream_options: _, ...rest } = request;
  const wanted = rest.max_tokens ?? alias ?? maxTokens;
  const max = wanted > 0 ? Math.min(wanted, maxTokens) : maxTokens;
  return { ...rest, max_tokens: max, ...(streamed ? { stream_options: { include_usage: true } } : {}) };
}

/** Names the first part of a message or the first tool that is not text and not a function, or null. */
function findForeignContent({ messages, tools }: Record<string, unknown>): string | null {
  for (const [at, message] of listOf(messages).entries()) {
    for (const part of listOf(isRecord(message) ? message["content"] : null)) {
      const type = isRecord(part) ? part["type"] : typeof part;
      if (type !== "text")
        return `messages[${at}] has content of type ${quote(type)}: only text is passed on to the model`;
    }
  }
  for (const [at, tool] of listOf(tools).entries()) {
    const type = isRecord(tool) ? tool["type"] : typeof tool;
    if (type !== "function")
      return `tools[${at}] is of type ${quote(type)}: only functions are passed on to the model`;
  }
  return null;
}

function quote(type: unknown): string {
  return typeof type === "string" ? `"${type.slice(0, 100)}"` : "unknown";
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  return levels === 0 || Object.values(value).some((inner) => isDeeper(inner, levels - 1));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
