import { startBroker } from "@agentswarm/sandbox/broker";
import { runService } from "@agentswarm/service";
import { settings } from "./config.ts";

/** The process that alone holds the container engine's socket: `node infra/broker/main.ts`. */
await runService("broker", settings, async ({ settings: config, log, stack }) => {
  const broker = stack.use(
    await startBroker({
      listen: config.BROKER_LISTEN,
      token: config.BROKER_TOKEN,
      name: config.BROKER_NAME,
      image: config.SANDBOX_IMAGE,
      workBytes: config.SANDBOX_WORK_BYTES,
      ceiling: {
        memoryBytes: config.BROKER_MAX_MEMORY_BYTES,
        pids: config.BROKER_MAX_PIDS,
        cpus: config.BROKER_MAX_CPUS,
        wallMs: config.BROKER_MAX_WALL_MS,
      },
      maxContainers: config.BROKER_MAX_SANDBOXES,
      maxContentBytes: config.BROKER_MAX_CONTENT_BYTES,
      onError: (error) => log.error({ err: error }, "a request failed"),
    }),
  );
  log.info({ url: broker.url, image: config.SANDBOX_IMAGE }, "serving sandboxes");
});
