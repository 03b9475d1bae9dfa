import type { IncomingMessage } from "node:http";

/**
 * The JSON events of a server-sent stream, without comments and the `[DONE]` mark. `onBytes` is called for every piece
 * that arrives, keep-alive comments included.
 */
export async function* readEvents(body: IncomingMessage, onBytes: () => void): AsyncGenerator<object> {
  body.setEncoding("utf8");
  let rest = "";
  for await (const text of body as AsyncIterable<string>) {
    onBytes();
    rest += text;
    const lines = rest.split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      const data = line.startsWith("data:") ? line.slice(5).trim() : "";
      if (data !== "" && data !== "[DONE]") yield JSON.parse(data) as object;
    }
  }
}
