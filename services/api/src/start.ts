import { join } from "node:path";
import { Fault } from "@agentswarm/contracts";
import { consume, createSender, openBudgets, openQueue } from "@agentswarm/queue";
import type { ServiceContext } from "@agentswarm/service";
import { buildApp } from "./app.ts";
import { isLoopback } from "./auth/guard.ts";
import { openKeyRing } from "./auth/keys.ts";
import type { Settings } from "./config.ts";
import { openReadModel } from "./project/read-model.ts";

/** Wires the api: takes wishes, projects events into what people see, and answers. */
export async function start({ settings, log, stack, signal }: ServiceContext<Settings>): Promise<void> {
  const home = settings.SWARM_HOME;
  const keys = openKeyRing(settings.API_KEYS_FILE ?? join(home, "api-keys.json"));
  const keyDemand = { always: !isLoopback(settings.API_PUBLISHED_ON), hosts: settings.API_HOSTS };
  if (keyDemand.always && (await keys.list()).length === 0) {
    throw new Fault(
      "config.invalid",
      `API_PUBLISHED_ON=${settings.API_PUBLISHED_ON} is not loopback, and there are no API keys: make one with \`node services/api/src/keys-main.ts create\`, or set API_PUBLISHED_ON=127.0.0.1`,
    );
  }
  const connection = stack.use(
    await openQueue({
      redisUrl: settings.REDIS_URL,
      prefix: settings.QUEUE_PREFIX,
      service: "api",
      onError: (error) => log.warn({ err: error }, "Redis command failed; retrying"),
    }),
  );
  const model = openReadModel(connection, join(home, "artifacts"));
  const house = {
    connection,
    sender: createSender(connection, "api"),
    model,
    budgets: stack.use(openBudgets(connection, settings)),
    caps: settings,
    keys,
    keyDemand,
    transcriptsDir: join(home, "artifacts", "transcripts"),
    maxQueueDepth: settings.MAX_QUEUE_DEPTH,
  };
  stack.use(
    // One at a time, so that events are told in the order in which they came.
    await consume(connection, "event", (event) => model.absorb(event), {
      concurrency: 1,
      onError: (error) => log.error({ err: error }, "an event could not be taken in"),
    }),
  );
  const app = await buildApp(house, log, signal);
  stack.defer(() => app.close());
  const url = await app.listen({ port: settings.API_PORT, host: settings.API_HOST });
  log.info({ url }, "answering");
}
