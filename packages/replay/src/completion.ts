import { toolCallId, type Choice } from "./choose.ts";

export interface ToolCall {
  readonly id: string;
  readonly type: "function";
  readonly function: { readonly name: string; readonly arguments: string };
}

/** What the recorded model says in one turn. */
export interface Turn {
  readonly content: string;
  readonly toolCalls: readonly ToolCall[];
  readonly finishReason: "stop" | "tool_calls";
}

export interface Usage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
}

const CHARS_PER_TOKEN = 4;

export function turnOf(choice: Exclude<Choice, { kind: "none" }>): Turn {
  if (choice.kind === "answer") {
    return { content: JSON.stringify(choice.answer), toolCalls: [], finishReason: "stop" };
  }
  const { entry, step, number } = choice;
  const toolCalls = step.calls.map((call, nth) => ({
    id: toolCallId(entry.key, number, nth),
    type: "function" as const,
    function: { name: call.tool, arguments: JSON.stringify(call.args) },
  }));
  return { content: step.say, toolCalls, finishReason: toolCalls.length > 0 ? "tool_calls" : "stop" };
}

/** Counts about as a tokenizer would; nothing is billed by it. */
export function usageOf(promptChars: number, turn: Turn): Usage {
  const said = turn.content.length + JSON.stringify(turn.toolCalls).length;
  const prompt_tokens = Math.ceil(promptChars / CHARS_PER_TOKEN);
  const completion_tokens = Math.ceil(said / CHARS_PER_TOKEN);
  return { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens };
}

const base = (model: string, object: string) => ({
  id: "chatcmpl-recorded",
  object,
  created: Math.floor(Date.now() / 1_000),
  model,
});

/** The answer as one JSON body. */
export function completionBody(model: string, turn: Turn, usage: Usage): object {
  const tools = turn.toolCalls.length > 0 ? { tool_calls: turn.toolCalls } : {};
  const message = { role: "assistant", content: turn.content, ...tools };
  return {
    ...base(model, "chat.completion"),
    choices: [{ index: 0, message, finish_reason: turn.finishReason, logprobs: null }],
    usage,
  };
}

/** The answer as the chunks of a stream; arguments come in fragments, as models send them. */
export function completionChunks(model: string, turn: Turn, usage: Usage | null): object[] {
  const chunk = (delta: object, finish_reason: string | null = null) => ({
    ...base(model, "chat.completion.chunk"),
    choices: [{ index: 0, delta, finish_reason, logprobs: null }],
  });
  const chunks: object[] = [chunk({ role: "assistant", content: "" })];
  if (turn.content !== "") chunks.push(chunk({ content: turn.content }));
  for (const [index, call] of turn.toolCalls.entries()) {
    const { name, arguments: args } = call.function;
    chunks.push(
      chunk({ tool_calls: [{ index, id: call.id, type: "function", function: { name, arguments: "" } }] }),
    );
    const half = Math.ceil(args.length / 2);
    for (const part of [args.slice(0, half), args.slice(half)]) {
      chunks.push(chunk({ tool_calls: [{ index, function: { arguments: part } }] }));
    }
  }
  chunks.push(chunk({}, turn.finishReason));
  if (usage !== null) chunks.push({ ...base(model, "chat.completion.chunk"), choices: [], usage });
  return chunks;
}
