import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** The answer to one request: a JSON value, a text, or a function that writes the response. */
export type Answer = object | string | ((response: ServerResponse) => void);

export interface ScriptedModel extends AsyncDisposable {
  /** For LLM_BASE_URL. */
  readonly url: string;
  /** The messages of every request so far, each as one text. */
  readonly asked: string[];
}

/**
 * A model with OpenAI's protocol whose answers the test gives, by the number of the request from 0, its text, and the name
 * of the model that it asks.
 */
export async function startModel(
  answer: (nth: number, text: string, model: string) => Answer,
): Promise<ScriptedModel> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString()));
    request.on("end", () => {
      if (request.method === "GET") return response.writeHead(200).end("{}");
      const { messages, model } = JSON.parse(body) as { messages: { content: string }[]; model: string };
      const text = messages.map((message) => message.content).join("\n");
      const said = answer(asked.push(text) - 1, text, model);
      if (typeof said === "function") return said(response);
      answerWith(response, said);
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** Writes a completion; for a function answer that comes later. */
export function answerWith(response: ServerResponse, said: object | string): void {
  const content = typeof said === "string" ? said : JSON.stringify(said);
  const choices = [{ index: 0, message: { role: "assistant", content }, finish_reason: "stop" }];
  const usage = { prompt_tokens: 100, completion_tokens: 10 };
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ choices, usage }));
}

/** An answer that the model's server refuses. */
export function refusal(status: number, headers: Record<string, string> = {}, message = "not now"): Answer {
  return (response) =>
    response
      .writeHead(status, { "content-type": "application/json", ...headers })
      .end(JSON.stringify({ error: { message } }));
}
