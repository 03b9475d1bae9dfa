// A model that sends its first word at once and the others at a fixed interval.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

const [chunks = 10, everyMs = 100] = process.argv.slice(2).map(Number);
const event = (delta: object, finish_reason: string | null = null) =>
  `data: ${JSON.stringify({ id: "c", object: "chat.completion.chunk", model: "bench", choices: [{ index: 0, delta, finish_reason }] })}\n\n`;
const WORD = event({ content: "word " });
const LAST = `${event({}, "stop")}data: ${JSON.stringify({ choices: [], usage: { prompt_tokens: 1, completion_tokens: 1 } })}\n\ndata: [DONE]\n\n`;

const server = createServer((request, response) => {
  request.resume();
  request.on("end", () => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(WORD);
    let sent = 1;
    const timer = setInterval(() => {
      sent += 1;
      if (sent <= chunks) return void response.write(WORD);
      clearInterval(timer);
      response.end(LAST);
    }, everyMs);
    response.on("close", () => clearInterval(timer));
  });
});
server.keepAliveTimeout = 60_000;
server.listen(0, "127.0.0.1", () => process.send?.((server.address() as AddressInfo).port));
process.on("disconnect", () => process.exit(0));
