import type { AddressInfo } from "node:net";
import Fastify from "fastify";
import { choose } from "./choose.ts";
import { completionBody, completionChunks, turnOf, usageOf } from "./completion.ts";
import { openMeeting } from "./meeting.ts";
import { misbehave } from "./misbehave.ts";
import { readSituation, requestSchema } from "./request.ts";
import { readScenario, type Entry } from "./scenario.ts";

export interface Replay extends AsyncDisposable {
  /** The base URL for OpenAI clients, ending in /v1. */
  readonly url: string;
  close(): Promise<void>;
}

const BODY_LIMIT_BYTES = 64 * 1024 * 1024;
const LONGEST_WAIT_MS = 10_000;

/** Serves recorded answers over the OpenAI protocol. `port` 0 or none: any free one. */
export async function startReplay(options: {
  scenarioDir: string;
  port?: number;
  host?: string;
  /** How long an answer waits for the keys in its `waitFor`; by default 10 s. */
  longestWaitMs?: number;
}): Promise<Replay> {
  const entries = await readScenario(options.scenarioDir);
  const meeting = openMeeting(options.longestWaitMs ?? LONGEST_WAIT_MS);
  const misbehaved = new Map<Entry, number>();
  const app = Fastify({ bodyLimit: BODY_LIMIT_BYTES, forceCloseConnections: true });

  app.get("/v1/models", () => ({
    object: "list",
    data: [{ id: "recorded", object: "model", created: 0, owned_by: "agentswarm-replay" }],
  }));

  app.post("/v1/chat/completions", async (incoming, reply) => {
    const parsed = requestSchema.safeParse(incoming.body);
    if (!parsed.success) return reply.code(400).send({ error: { message: parsed.error.message } });
    const request = parsed.data;
    const situation = readSituation(request);
    const choice = choose(entries, situation);
    if (choice.kind === "none") {
      return reply
        .code(404)
        .send({ error: { type: "not_recorded", code: situation.key, message: choice.why } });
    }
    const { entry } = choice;
    meeting.arrive(entry.key);
    if (choice.kind !== "step" || choice.number === 1) await meeting.allOf(entry.waitFor);

    if (entry.misbehave !== undefined) {
      const times = misbehaved.get(entry) ?? 0;
      if (times < entry.misbehave.times) {
        misbehaved.set(entry, times + 1);
        reply.hijack();
        return misbehave(entry.misbehave.kind, request.model, reply.raw);
      }
    }
    const turn = turnOf(choice);
    const usage = usageOf(situation.chars, turn);
    if (!request.stream) return completionBody(request.model, turn, usage);
    const told = request.stream_options?.include_usage ? usage : null;
    const events = completionChunks(request.model, turn, told).map(
      (chunk) => `data: ${JSON.stringify(chunk)}\n\n`,
    );
    return reply.type("text/event-stream").send(`${events.join("")}data: [DONE]\n\n`);
  });

  await app.listen({ port: options.port ?? 0, host: options.host ?? "127.0.0.1" });
  const { port } = app.server.address() as AddressInfo;
  const close = () => app.close();
  return { url: `http://127.0.0.1:${port}/v1`, close, [Symbol.asyncDispose]: close };
}
