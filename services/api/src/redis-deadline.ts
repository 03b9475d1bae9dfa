import { setTimeout as sleep } from "node:timers/promises";
import type { FastifyReply, RouteHandlerMethod } from "fastify";
import { ping, type QueueConnection } from "@agentswarm/queue";
import type { App } from "./app-type.ts";
import { Problem } from "./problem.ts";

/** A silent Redis is noticed within this time: one wait before the probe, and one for the probe. */
export const REDIS_DEADLINE_MS = 2_000;
const PROBE_MS = REDIS_DEADLINE_MS / 2;
/** Upper bound for a handler while Redis answers, as when one of several connections hangs. */
const HANDLER_DEADLINE_MS = 10_000;
const RETRY_SECONDS = 2;

/**
 * Makes every route that is registered from now on answer 503 while Redis is silent, as commands to a silent server
 * hang without end. A route that takes long while Redis answers probes is left alone.
 */
export function answerDespiteSilentRedis(app: App, connection: QueueConnection): void {
  const probe = openProbe(connection);
  app.addHook("onRoute", (route) => {
    const { handler } = route;
    route.handler = function (request, reply) {
      const answering: unknown = handler.call(this, request, reply);
      // A reply is a thenable too; it is on its way already.
      return answering instanceof Promise ? answerOrRefuse(answering, reply, probe) : answering;
    } as RouteHandlerMethod;
  });
}

async function answerOrRefuse(
  answering: Promise<unknown>,
  reply: FastifyReply,
  probe: () => Promise<void>,
): Promise<unknown> {
  const done = new AbortController();
  try {
    return await Promise.race([answering, untilSilent(reply, probe, done.signal)]);
  } finally {
    done.abort();
  }
}

/** Rejects with a problem once Redis is silent; stays pending once the answer has begun. */
async function untilSilent(
  reply: FastifyReply,
  probe: () => Promise<void>,
  done: AbortSignal,
): Promise<never> {
  for (let waitedMs = 0; waitedMs < HANDLER_DEADLINE_MS; waitedMs += PROBE_MS) {
    await sleep(PROBE_MS, undefined, { signal: done });
    if (reply.raw.headersSent) return new Promise<never>(() => undefined);
    await probe();
  }
  throw unavailable(HANDLER_DEADLINE_MS);
}

/** One probe at a time serves all requests that wait. */
function openProbe(connection: QueueConnection): () => Promise<void> {
  let probing: Promise<void> | null = null;
  return () => {
    probing ??= ping(connection, PROBE_MS)
      .catch(() => {
        throw unavailable(REDIS_DEADLINE_MS);
      })
      .finally(() => {
        probing = null;
      });
    return probing;
  };
}

/** A Problem, as Bull Board's own error handler reads the status from the error. */
function unavailable(waitedMs: number): Problem {
  return new Problem(503, "redis-unavailable", `Redis did not answer within ${waitedMs} ms`, RETRY_SECONDS);
}
