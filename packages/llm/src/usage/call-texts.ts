import { estimateTokens } from "./estimate-tokens.ts";

/** The marks around a message in chat templates, in tokens. */
const TOKENS_PER_MESSAGE = 4;

interface CallPart {
  readonly content?: unknown;
  readonly reasoning_content?: unknown;
  readonly reasoning?: unknown;
  readonly reasoning_text?: unknown;
  readonly tool_calls?: unknown;
}

/** The estimated tokens of a request: its messages and its tools as chat templates write them, without the JSON around. */
export function estimatePrompt(request: {
  readonly messages: readonly object[];
  readonly tools?: readonly object[] | null | undefined;
}): number {
  const messages = request.messages.reduce(
    (sum, message) => sum + TOKENS_PER_MESSAGE + estimateTokens(textOf(message)),
    0,
  );
  return (
    messages + (request.tools ?? []).reduce((sum, tool) => sum + estimateTokens(JSON.stringify(tool)), 0)
  );
}

/** The text that the model wrote in one event of a stream or in a whole completion: answer, reasoning and tool calls. */
export function answerText(event: object): string {
  const choices = (event as { choices?: unknown }).choices;
  return listOf(choices)
    .map((choice) => {
      const { delta, message } = choice as { delta?: object; message?: object };
      return textOf(delta ?? message ?? {});
    })
    .join("");
}

function textOf(part: CallPart): string {
  const calls = listOf(part.tool_calls).map((call) => {
    const { name, arguments: args } = ((call as { function?: unknown }).function ?? {}) as CallFunction;
    return stringOf(name) + stringOf(args);
  });
  const thoughts = part.reasoning_content ?? part.reasoning ?? part.reasoning_text;
  return stringOf(thoughts) + contentOf(part.content) + calls.join("");
}

interface CallFunction {
  readonly name?: unknown;
  readonly arguments?: unknown;
}

function contentOf(content: unknown): string {
  if (!Array.isArray(content)) return stringOf(content);
  return listOf(content)
    .map((part) => stringOf((part as { text?: unknown }).text))
    .join("\n");
}

function stringOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** The objects of a list; what a backend sends may be anything. */
function listOf(value: unknown): readonly object[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === "object" && one !== null) : [];
}
