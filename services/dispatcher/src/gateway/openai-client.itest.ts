import { once } from "node:events";
import type { IncomingHttpHeaders } from "node:http2";
import { Readable } from "node:stream";
import OpenAI from "openai";
import { expect, test } from "vitest";
import { MODEL, openGateway, type OpenGateway } from "../../testing/open-gateway.ts";
import { chunk, json, startBackend, streamed, USAGE } from "../../../../test/support/scripted-backend.ts";

/** OpenAI's own client, whose requests go through the door. */
function clientOf(gateway: OpenGateway): OpenAI {
  return new OpenAI({
    apiKey: gateway.own.key,
    baseURL: "http://relay/v1",
    maxRetries: 0,
    fetch: async (_url, init) => {
      const key = new Headers(init?.headers).get("authorization")?.slice("Bearer ".length);
      const stream = gateway.ask(JSON.parse(String(init?.body as string)) as object, key);
      const [headers] = (await once(stream, "response")) as [IncomingHttpHeaders];
      return new Response(Readable.toWeb(stream) as ReadableStream, {
        status: Number(headers[":status"]),
        headers: { "content-type": String(headers["content-type"]) },
      });
    },
  });
}

const CALL = { index: 0, id: "c1", type: "function", function: { name: "read", arguments: '{"path":"a"}' } };

test("OpenAI's client understands the gateway's answers, streams and errors", async () => {
  await using backend = await startBackend(
    json(200, {
      choices: [{ index: 0, message: { role: "assistant", content: "hi" }, finish_reason: "stop" }],
      usage: USAGE,
    }),
    streamed(
      chunk({ role: "assistant", content: "I look" }),
      chunk({ tool_calls: [CALL] }),
      chunk({}, "tool_calls"),
    ),
  );
  await using gateway = await openGateway(backend.baseUrl, { limits: { turns: 2 } });
  const client = clientOf(gateway);
  const asked = { model: MODEL, messages: [{ role: "user" as const, content: "hello" }] };

  const whole = await client.chat.completions.create(asked);
  expect(whole.choices[0]?.message.content).toBe("hi");
  expect(whole.usage).toMatchObject(USAGE);

  let text = "";
  const calls: string[] = [];
  let finish: string | null = null;
  for await (const part of await client.chat.completions.create({ ...asked, stream: true })) {
    const [choice] = part.choices;
    text += choice?.delta.content ?? "";
    for (const call of choice?.delta.tool_calls ?? [])
      calls.push(`${call.function?.name} ${call.function?.arguments}`);
    finish = choice?.finish_reason ?? finish;
  }
  expect([text, calls, finish]).toEqual(["I look", ['read {"path":"a"}'], "tool_calls"]);

  const refused = await client.chat.completions.create(asked).catch((error: unknown) => error);
  expect(refused).toMatchObject({ status: 402 });
});
