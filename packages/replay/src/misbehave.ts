import { randomUUID } from "node:crypto";
import type { ServerResponse } from "node:http";
import { completionChunks, type Turn } from "./completion.ts";
import type { Entry } from "./scenario.ts";

type Kind = NonNullable<Entry["misbehave"]>["kind"];

/** The same call each time, under an id of its own as a real model gives. */
function loopedCall(): Turn {
  const call = { name: "ls", arguments: '{"path":"."}' };
  return {
    content: "",
    toolCalls: [{ id: `loop-${randomUUID()}`, type: "function", function: call }],
    finishReason: "tool_calls",
  };
}

/** What real endpoints do at times, done on purpose. */
export function misbehave(kind: Kind, model: string, response: ServerResponse): void {
  const json = (status: number, body: string, headers: Record<string, string> = {}) => {
    response.writeHead(status, { "content-type": "application/json", ...headers }).end(body);
  };
  const stream = (chunks: readonly object[], onSent?: () => void) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`).join(""), onSent);
  };
  switch (kind) {
    case "429":
      return json(429, '{"error":{"message":"too many requests"}}', { "retry-after": "1" });
    case "500":
      return json(500, '{"error":{"message":"the engine has crashed"}}');
    case "stall":
      // Headers, and then nothing: only the reader's own deadline ends this.
      response.writeHead(200, { "content-type": "text/event-stream" }).flushHeaders();
      return;
    case "cut":
      // Broken off only once its first words are out: what is destroyed earlier is never sent.
      return stream(completionChunks(model, { ...loopedCall(), content: "I will" }, null).slice(0, 2), () =>
        response.destroy(),
      );
    case "malformed":
      return json(200, '{"choices": [{"message": ');
    case "partial-tool-call":
      // The arguments break off, yet the stream ends as if all were well.
      stream(partialToolCall(model));
      response.end("data: [DONE]\n\n");
      return;
    case "loop":
      stream(completionChunks(model, loopedCall(), null));
      response.end("data: [DONE]\n\n");
      return;
  }
}

function partialToolCall(model: string): object[] {
  const call = {
    id: "partial",
    type: "function" as const,
    function: { name: "write", arguments: '{"path":"a.txt","content":"half' },
  };
  return completionChunks(model, { content: "", toolCalls: [call], finishReason: "tool_calls" }, null);
}
