import { join } from "node:path";
import { Fault } from "@agentswarm/contracts";
import { consume, openBudgets } from "@agentswarm/queue";
import type { ServiceContext } from "@agentswarm/service";
import { openService } from "@agentswarm/wiring";
import { buildApp } from "./app.ts";
import { reachedBeyondLoopback } from "./auth/reached-at.ts";
import { openKeyRing } from "./auth/keys.ts";
import type { Settings } from "./config.ts";
import type { ApiContext } from "./context.ts";
import { openReadModel } from "./project/read-model.ts";
import { keepArchiveSmall } from "./remove-old-events.ts";

/** Wires the api: it takes submissions and commands, projects events into views, and answers queries. */
export async function start(context: ServiceContext<Settings>): Promise<void> {
  const { settings, log, stack, signal } = context;
  const home = settings.SWARM_HOME;
  const keys = openKeyRing(settings.API_KEYS_FILE ?? join(home, "api-keys.json"));
  const reachedBy = reachedBeyondLoopback(settings);
  const keyDemand = { always: reachedBy !== null, hosts: settings.API_HOSTS };
  if (reachedBy !== null && (await keys.list()).length === 0) {
    const inContainer = reachedBy === "API_HOST" ? ", or API_BEHIND=container where it runs in one" : "";
    throw new Fault(
      "config.invalid",
      `${reachedBy}=${settings[reachedBy]} is not loopback, and there are no API keys: make one with \`node services/api/src/keys-main.ts create\`, or set ${reachedBy}=127.0.0.1${inContainer}`,
    );
  }
  const { connection, sender } = await openService(context, "api");
  const budgets = stack.use(openBudgets(connection, settings));
  const model = openReadModel(connection, budgets, join(home, "artifacts"));
  const ctx: ApiContext = {
    connection,
    sender,
    model,
    budgets,
    caps: settings,
    keys,
    keyDemand,
    transcriptsDir: join(home, "artifacts", "transcripts"),
    maxQueueDepth: settings.MAX_QUEUE_DEPTH,
  };
  stack.use(
    // One at a time, so that events are logged in the order of their arrival.
    await consume(connection, "event", (event) => model.absorb(event), {
      concurrency: 1,
      onError: (error) => log.error({ err: error }, "event could not be projected"),
    }),
  );
  stack.use(keepArchiveSmall(join(home, "artifacts", "events"), settings.EVENT_ARCHIVE_DAYS, log));
  const app = await buildApp(ctx, log, signal);
  stack.defer(() => app.close());
  const url = await app.listen({ port: settings.API_PORT, host: settings.API_HOST });
  log.info({ url }, "answering");
}
