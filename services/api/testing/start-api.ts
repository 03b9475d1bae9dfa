import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openQueue, type QueueConnection } from "@agentswarm/queue";
import { startRedis, type TestRedis } from "../../../test/support/redis.ts";
import { freePort } from "../../../test/support/free-port.ts";
import { startService, type RunningService } from "../../../test/support/service.ts";

/** An api process with a Redis of its own. */
export interface TestApi extends AsyncDisposable {
  readonly redis: TestRedis;
  readonly connection: QueueConnection;
  readonly home: string;
  readonly env: Record<string, string>;
  readonly service: RunningService;
  readonly url: string;
  /** Starts the api again after a kill, on the same port. */
  again(more?: Record<string, string>): Promise<void>;
  ask(path: string, init?: RequestInit): Promise<Response>;
  /** POST of a JSON body. */
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Response>;
}

export async function startApi(
  more: Record<string, string> = {},
  /** Why the test needs a Redis of its own, if it does. */
  exclusive?: string,
): Promise<TestApi> {
  const redis = await startRedis(exclusive === undefined ? {} : { exclusive });
  const home = mkdtempSync(join(tmpdir(), "swarm-api-"));
  const port = await freePort();
  const env = {
    REDIS_URL: redis.url,
    QUEUE_PREFIX: redis.prefix,
    SWARM_HOME: home,
    API_PORT: String(port),
    ...more,
  };
  const connection = await openQueue({
    redisUrl: redis.url,
    prefix: redis.prefix,
    service: "test",
    onError: () => undefined,
  });
  const url = `http://127.0.0.1:${port}`;
  let service = startService("api", env);
  await service.says("answering");
  const ask = (path: string, init: RequestInit = {}) => fetch(`${url}${path}`, init);
  return {
    redis,
    connection,
    home,
    env,
    url,
    get service() {
      return service;
    },
    async again(changed = {}) {
      service = startService("api", { ...env, FAILPOINT: "", ...changed });
      await service.says("answering");
    },
    ask,
    post: (path, body, headers = {}) =>
      ask(path, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: typeof body === "string" ? body : JSON.stringify(body),
      }),
    async [Symbol.asyncDispose]() {
      await service.stop();
      await connection[Symbol.asyncDispose]();
      await redis.stop();
      rmSync(home, { recursive: true, force: true });
    },
  };
}
