import { randomUUID } from "node:crypto";
import type { ServerResponse } from "node:http";
import { completionChunks, type CompletionContent } from "./completion.ts";
import type { FaultInjection } from "./scenario.ts";

/** The same call each time, with a new id each time, as a real model would send. */
function loopedCall(): CompletionContent {
  const call = { name: "ls", arguments: '{"path":"."}' };
  return {
    text: "",
    toolCalls: [{ id: `loop-${randomUUID()}`, type: "function", function: call }],
    finishReason: "tool_calls",
  };
}

/** Answers with a failure that real endpoints show at times. */
export function injectFault(kind: FaultInjection["kind"], model: string, response: ServerResponse): void {
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
      // Headers and nothing more: only the reader's timeout ends this.
      response.writeHead(200, { "content-type": "text/event-stream" }).flushHeaders();
      return;
    case "cut":
      // Destroyed only after the first chunks are sent; bytes that are still buffered would be lost.
      return stream(completionChunks(model, { ...loopedCall(), text: "I will" }, null).slice(0, 2), () =>
        response.destroy(),
      );
    case "malformed":
      return json(200, '{"choices": [{"message": ');
    case "partial-tool-call":
      // The arguments are truncated, but the stream ends without an error.
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
  return completionChunks(model, { text: "", toolCalls: [call], finishReason: "tool_calls" }, null);
}
