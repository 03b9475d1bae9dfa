import { once } from "node:events";
import * as http2 from "node:http2";
import type { AddressInfo } from "node:net";
import { DEFAULT_LIMITS, type BudgetHandle, type Limits } from "@agentswarm/contracts";
import { createRouter, openRecorder, resolveBackends, type RouterOptions, type Usage } from "@agentswarm/llm";
import { createLogger } from "@agentswarm/service";
import { createGateway } from "../src/gateway/gateway.ts";
import type { AttemptKey } from "../src/gateway/attempt-key.ts";
import { UNLIMITED_BUDGET } from "../../../test/support/unlimited-budget.ts";

export interface GatewayAnswer {
  readonly status: number;
  readonly headers: http2.IncomingHttpHeaders;
  readonly text: string;
  /** False when the stream was reset before its end. */
  readonly whole: boolean;
}

export interface OpenGateway extends AsyncDisposable {
  /** The key of the door that is asked here. */
  readonly own: AttemptKey;
  readonly charged: Usage[];
  readonly exhausted: string[];
  issue(limits?: Partial<Limits>, ttlMs?: number): AttemptKey;
  ask(body: object, key?: string): http2.ClientHttp2Stream;
  call(body: object, key?: string): Promise<GatewayAnswer>;
}

export const MODEL = "glm-5";

/** Opens the gateway behind a real HTTP/2 session, as the door of a sandbox does. */
export async function openGateway(
  baseUrl: string,
  options: {
    limits?: Partial<Limits>;
    ttlMs?: number;
    /** LLM_BACKENDS, instead of the one at `baseUrl`. */
    backends?: object[];
    model?: string;
    timeouts?: RouterOptions["timeouts"];
    budget?: BudgetHandle;
    recordDir?: string;
  } = {},
): Promise<OpenGateway> {
  const { backends, model = MODEL } = options;
  const settings = {
    LLM_BASE_URL: baseUrl,
    LLM_API_KEY: "the-real-key",
    LLM_MODEL: MODEL,
    LLM_BACKENDS: backends === undefined ? undefined : JSON.stringify(backends),
  };
  const log = createLogger({ service: "test", level: "silent" });
  const router = createRouter(resolveBackends(settings, {}), options);
  const gateway = createGateway(router, {
    model,
    maxTokens: 500,
    log,
    recorder: options.recordDir === undefined ? undefined : openRecorder(options.recordDir),
  });
  const charged: Usage[] = [];
  const exhausted: string[] = [];
  const issue = (limits: Partial<Limits> = {}, ttlMs = 60_000) =>
    gateway.issue({
      ids: { featureId: "feature-1", taskId: "task-1", attempt: 1 },
      limits: { ...DEFAULT_LIMITS, ...limits },
      role: "work",
      expiresAt: performance.now() + ttlMs,
      budget: options.budget ?? UNLIMITED_BUDGET,
      onCharge: (usage) => charged.push(usage),
      onExhausted: (why) => exhausted.push(why),
    });
  const own = issue(options.limits, options.ttlMs);
  const server = http2.createServer();
  server.on("stream", (stream, headers) => {
    stream.on("error", () => undefined);
    void gateway.complete(own, stream, headers, { received: () => undefined, hold: () => undefined });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const session = http2.connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);

  const ask = (body: object, key = own.key) => {
    const stream = session.request({
      ":method": "POST",
      ":path": "/v1/chat/completions",
      authorization: `Bearer ${key}`,
    });
    stream.end(JSON.stringify({ model: MODEL, messages: [{ role: "user", content: "hello" }], ...body }));
    return stream;
  };
  return {
    own,
    charged,
    exhausted,
    issue,
    ask,
    async call(body, key) {
      const stream = ask(body, key);
      let text = "";
      let whole = true;
      stream.on("error", () => {
        whole = false;
      });
      stream.on("data", (data: Buffer) => {
        text += data.toString();
      });
      const [headers] = (await once(stream, "response")) as [http2.IncomingHttpHeaders];
      if (!stream.closed) await new Promise((done) => stream.once("close", done));
      return { status: Number(headers[":status"]), headers, text, whole };
    },
    async [Symbol.asyncDispose]() {
      session.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
