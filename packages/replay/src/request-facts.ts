import { z } from "zod";
import { findSwarmKey } from "@agentswarm/contracts";

const textPart = z.object({ type: z.string(), text: z.string().optional() });
const contentSchema = z.union([z.string(), z.array(textPart), z.null()]).optional();

const messageSchema = z.object({
  role: z.string(),
  content: contentSchema,
  tool_calls: z.array(z.object({ id: z.string() })).optional(),
});

/** The part of a chat completion request that the recorded model reads. */
export const requestSchema = z.object({
  model: z.string(),
  messages: z.array(messageSchema).min(1),
  stream: z.boolean().nullish(),
  stream_options: z.object({ include_usage: z.boolean().optional() }).nullish(),
});
export type ChatRequest = z.infer<typeof requestSchema>;

function textOf(content: z.infer<typeof contentSchema>): string {
  if (typeof content === "string") return content;
  return (content ?? []).map((part) => part.text ?? "").join("\n");
}

/** The facts of a request that choose its answer. */
export interface RequestFacts {
  /** The last Swarm-Key named, or null. */
  readonly key: string | null;
  readonly lastUserText: string;
  readonly toolCallIds: readonly string[];
  /** The length of all texts, for the reported usage. */
  readonly chars: number;
}

export function readRequestFacts(request: ChatRequest): RequestFacts {
  let lastUserText = "";
  let chars = 0;
  const toolCallIds: string[] = [];
  for (const message of request.messages) {
    const text = textOf(message.content);
    chars += text.length;
    if (message.role === "user") lastUserText = text;
    toolCallIds.push(...(message.tool_calls ?? []).map((call) => call.id));
  }
  const key = findSwarmKey(request.messages.map(({ role, content }) => ({ role, text: textOf(content) })));
  return { key, lastUserText, toolCallIds, chars };
}
