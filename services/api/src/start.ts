import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Fault } from "@agentswarm/contracts";
import { consume, openBudgets } from "@agentswarm/queue";
import { removeOld, type ServiceContext } from "@agentswarm/service";
import { openService } from "@agentswarm/wiring";
import { buildApp } from "./app.ts";
import { reachedBeyondLoopback } from "./auth/reached-at.ts";
import { openKeyRing } from "./auth/key-ring.ts";
import type { Settings } from "./config.ts";
import type { ApiContext } from "./context.ts";
import { keepViews } from "./keep-views.ts";
import { openEventArchive } from "./project/event-archive.ts";
import { openIntake } from "./project/intake.ts";
import { openReadModel } from "./project/read-model.ts";
import { openViewStore } from "./project/view-store.ts";
import { openRebuilds } from "./rebuilds.ts";
import { removals } from "./removals.ts";

const EVENTS_AT_ONCE = 100;
const FILL_WAIT_MS = 2_000;

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
      `${reachedBy}=${settings[reachedBy]} is not loopback, and there are no API keys: make one with \`node services/api/src/keys-main.ts create --role admin\`, or set ${reachedBy}=127.0.0.1${inContainer}`,
    );
  }
  const { connection, sender } = await openService(context, "api");
  const budgets = stack.use(openBudgets(connection, settings));
  const archiveDir = join(home, "artifacts", "events");
  const archive = openEventArchive(archiveDir);
  const rebuilds = openRebuilds(connection, archive, log);
  const views = openViewStore(connection);
  const keeper = stack.use(keepViews(connection, { archive, sender, log, onRebuilt: rebuilds.note }));
  // After a wipe of Redis it may take minutes; requests are answered and events wait meanwhile.
  await Promise.race([
    keeper.fill().catch(connection.report),
    sleep(FILL_WAIT_MS, undefined, { ref: false }),
  ]);
  const model = openReadModel(connection, budgets, views);
  const intake = openIntake(connection, { store: views, archive, fill: keeper.fill });
  const ctx: ApiContext = {
    connection,
    sender,
    model,
    intake,
    rebuilds,
    budgets,
    caps: settings,
    keys,
    keyDemand,
    transcriptsDir: join(home, "artifacts", "transcripts"),
    maxQueueDepth: settings.MAX_QUEUE_DEPTH,
  };
  stack.use(
    await consume(connection, "event", (event, { signal }) => intake.take(event, signal), {
      // They wait for each other and are taken in in batches, in the order of their arrival.
      concurrency: EVENTS_AT_ONCE,
      waitsFirst: true,
      onError: (error) => log.error({ err: error }, "events could not be taken in"),
    }),
  );
  stack.use(removeOld(removals(connection, { views, archiveDir, settings }), log));
  const app = await buildApp(ctx, log, signal);
  stack.defer(() => app.close());
  const url = await app.listen({ port: settings.API_PORT, host: settings.API_HOST });
  log.info({ url }, "answering");
}
