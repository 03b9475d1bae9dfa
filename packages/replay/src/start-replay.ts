import type { AddressInfo } from "node:net";
import Fastify from "fastify";
import { openBarrier } from "./barrier.ts";
import { chooseAnswer } from "./choose-answer.ts";
import { completionBody, completionChunks, contentOf, usageOf } from "./completion.ts";
import { injectFault } from "./inject-fault.ts";
import { readRequestFacts, requestSchema } from "./request-facts.ts";
import { readScenario, type ScenarioEntry } from "./scenario.ts";

export interface Replay extends AsyncDisposable {
  /** The base URL for OpenAI clients, ending in /v1. */
  readonly url: string;
  close(): Promise<void>;
}

/** A refusal of the request itself: 404 would say that the model or its address is wrong, for which all work waits. */
const NOT_RECORDED = 422;

const BODY_LIMIT_BYTES = 64 * 1024 * 1024;
const MAX_WAIT_MS = 10_000;

/** Serves recorded answers over the OpenAI protocol. Without `port`, or with 0, it listens on any free port. */
export async function startReplay(options: {
  scenarioDir: string;
  port?: number;
  host?: string;
  /** The longest time an answer waits for the keys in its `waitFor`; 10 s by default. */
  maxWaitMs?: number;
}): Promise<Replay> {
  const entries = await readScenario(options.scenarioDir);
  const barrier = openBarrier(options.maxWaitMs ?? MAX_WAIT_MS);
  const injected = new Map<ScenarioEntry, number>();
  const app = Fastify({ bodyLimit: BODY_LIMIT_BYTES, forceCloseConnections: true });

  app.get("/v1/models", () => ({
    object: "list",
    data: [{ id: "recorded", object: "model", created: 0, owned_by: "agentswarm-replay" }],
  }));

  app.post("/v1/chat/completions", async (incoming, reply) => {
    const parsed = requestSchema.safeParse(incoming.body);
    if (!parsed.success) return reply.code(400).send({ error: { message: parsed.error.message } });
    const request = parsed.data;
    const facts = readRequestFacts(request);
    const answer = chooseAnswer(entries, facts);
    if (answer.kind === "none") {
      return reply
        .code(NOT_RECORDED)
        .send({ error: { type: "not_recorded", code: facts.key, message: answer.why } });
    }
    const { entry } = answer;
    barrier.arrive(entry.key);
    if (answer.kind !== "step" || answer.number === 1) await barrier.waitFor(entry.waitFor);

    if (entry.injectFault !== undefined) {
      const times = injected.get(entry) ?? 0;
      if (times < entry.injectFault.times) {
        injected.set(entry, times + 1);
        reply.hijack();
        return injectFault(entry.injectFault.kind, request.model, reply.raw);
      }
    }
    const content = contentOf(answer);
    const usage = usageOf(facts.chars, content);
    if (!request.stream) return completionBody(request.model, content, usage);
    const reported = request.stream_options?.include_usage ? usage : null;
    const events = completionChunks(request.model, content, reported).map(
      (chunk) => `data: ${JSON.stringify(chunk)}\n\n`,
    );
    return reply.type("text/event-stream").send(`${events.join("")}data: [DONE]\n\n`);
  });

  await app.listen({ port: options.port ?? 0, host: options.host ?? "127.0.0.1" });
  const { port } = app.server.address() as AddressInfo;
  const close = () => app.close();
  return { url: `http://127.0.0.1:${port}/v1`, close, [Symbol.asyncDispose]: close };
}
