import { toolCallId, type RecordedAnswer } from "./choose-answer.ts";

export interface ToolCall {
  readonly id: string;
  readonly type: "function";
  readonly function: { readonly name: string; readonly arguments: string };
}

/** The content of one answer. */
export interface CompletionContent {
  readonly text: string;
  readonly toolCalls: readonly ToolCall[];
  readonly finishReason: "stop" | "tool_calls";
}

export interface CompletionUsage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
}

const CHARS_PER_TOKEN = 4;

export function contentOf(answer: Exclude<RecordedAnswer, { kind: "none" }>): CompletionContent {
  if (answer.kind === "answer") {
    return { text: JSON.stringify(answer.answer), toolCalls: [], finishReason: "stop" };
  }
  const { entry, step, number } = answer;
  const toolCalls = step.calls.map((call, nth) => ({
    id: toolCallId(entry.key, number, nth),
    type: "function" as const,
    function: { name: call.tool, arguments: JSON.stringify(call.args) },
  }));
  return { text: step.say, toolCalls, finishReason: toolCalls.length > 0 ? "tool_calls" : "stop" };
}

/** Usage estimated from lengths. Nothing is billed by it. */
export function usageOf(promptChars: number, content: CompletionContent): CompletionUsage {
  const length = content.text.length + JSON.stringify(content.toolCalls).length;
  const prompt_tokens = Math.ceil(promptChars / CHARS_PER_TOKEN);
  const completion_tokens = Math.ceil(length / CHARS_PER_TOKEN);
  return { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens };
}

const base = (model: string, object: string) => ({
  id: "chatcmpl-recorded",
  object,
  created: Math.floor(Date.now() / 1_000),
  model,
});

/** The answer as one JSON body. */
export function completionBody(model: string, content: CompletionContent, usage: CompletionUsage): object {
  const tools = content.toolCalls.length > 0 ? { tool_calls: content.toolCalls } : {};
  const message = { role: "assistant", content: content.text, ...tools };
  return {
    ...base(model, "chat.completion"),
    choices: [{ index: 0, message, finish_reason: content.finishReason, logprobs: null }],
    usage,
  };
}

/** The answer as the chunks of a stream, with arguments in fragments, as models send them. */
export function completionChunks(
  model: string,
  content: CompletionContent,
  usage: CompletionUsage | null,
): object[] {
  const chunk = (delta: object, finish_reason: string | null = null) => ({
    ...base(model, "chat.completion.chunk"),
    choices: [{ index: 0, delta, finish_reason, logprobs: null }],
  });
  const chunks: object[] = [chunk({ role: "assistant", content: "" })];
  if (content.text !== "") chunks.push(chunk({ content: content.text }));
  for (const [index, call] of content.toolCalls.entries()) {
    const { name, arguments: args } = call.function;
    chunks.push(
      chunk({ tool_calls: [{ index, id: call.id, type: "function", function: { name, arguments: "" } }] }),
    );
    const half = Math.ceil(args.length / 2);
    for (const part of [args.slice(0, half), args.slice(half)]) {
      chunks.push(chunk({ tool_calls: [{ index, function: { arguments: part } }] }));
    }
  }
  chunks.push(chunk({}, content.finishReason));
  if (usage !== null) chunks.push({ ...base(model, "chat.completion.chunk"), choices: [], usage });
  return chunks;
}
