import { createLogger } from "@agentswarm/service";
import { openQueue } from "@agentswarm/queue";
import { startRedis } from "../../../test/support/redis.ts";
import type { App } from "../src/app-type.ts";
import { buildApp } from "../src/app.ts";
import type { KeyDemand } from "../src/auth/guard.ts";
import type { KeyRing } from "../src/auth/key-ring.ts";
import type { ApiContext } from "../src/context.ts";

export interface TestApp extends AsyncDisposable {
  readonly app: App;
}

/**
 * The api's whole application in this process, without a port: every hook and every route, as `start` builds it. Routes
 * whose part of `ctx` a test leaves out fail.
 */
export async function buildTestApp(
  keys: KeyRing,
  ctx: Partial<ApiContext> = {},
  keyDemand: KeyDemand = { always: true, hosts: [] },
): Promise<TestApp> {
  await using stack = new AsyncDisposableStack();
  const redis = stack.use(await startRedis());
  const connection = stack.use(
    await openQueue({ redisUrl: redis.url, prefix: redis.prefix, service: "test", onError: () => undefined }),
  );
  const all = { connection, keys, keyDemand, caps: {}, ...ctx } as ApiContext;
  const app = await buildApp(all, createLogger({ service: "test", level: "silent" }), AbortSignal.any([]));
  stack.defer(() => app.close());
  const owned = stack.move();
  return { app, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
