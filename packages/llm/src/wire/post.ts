import * as http from "node:http";
import * as https from "node:https";

/**
 * Posts JSON and resolves with the response when its headers have come. Redirects are not followed, because the key must
 * not be sent to another address. `connectMs` is a timeout for connecting alone. `fetch` has no such timeout, and it
 * ends after five minutes without headers.
 */
export function post(
  url: string,
  options: { apiKey: string; body: string; connectMs: number; signal: AbortSignal },
): Promise<http.IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<http.IncomingMessage>();
  const secure = url.startsWith("https:");
  const request = (secure ? https : http).request(url, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "content-length": Buffer.byteLength(options.body),
      authorization: `Bearer ${options.apiKey}`,
    },
  });
  // Not the request's own `signal` option: its socket throws when a response has come but is not read yet.
  const { signal } = options;
  let response: http.IncomingMessage | undefined;
  const onAbort = () => {
    const why = signal.reason instanceof Error ? signal.reason : new Error(String(signal.reason));
    reject(why);
    response?.destroy(why);
    request.destroy();
  };
  signal.addEventListener("abort", onAbort, { once: true });
  request.on("socket", (socket) => {
    if (!socket.connecting) return;
    const timedOut = new Error(`no connection within ${options.connectMs} ms`);
    const timer = setTimeout(() => request.destroy(timedOut), options.connectMs);
    socket.once(secure ? "secureConnect" : "connect", () => clearTimeout(timer));
    socket.once("close", () => clearTimeout(timer));
  });
  request.on("response", (incoming) => {
    response = incoming;
    // Errors appear where the body is read. A call may be cancelled before that, and must not throw here.
    response.on("error", () => undefined);
    resolve(response);
  });
  request.on("error", reject);
  request.on("close", () => signal.removeEventListener("abort", onAbort));
  if (signal.aborted) onAbort();
  request.end(options.body);
  return promise;
}

export async function readText(response: http.IncomingMessage): Promise<string> {
  response.setEncoding("utf8");
  let text = "";
  for await (const part of response as AsyncIterable<string>) text += part;
  return text;
}
