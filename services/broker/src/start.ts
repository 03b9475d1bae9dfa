import { startBroker } from "@agentswarm/broker/server";
import type { ServiceContext } from "@agentswarm/service";
import type { Settings } from "./config.ts";

/** Wires the broker: the one process that holds the container engine's socket. It is not one of the swarm's five services. */
export async function start({ settings, log, stack }: ServiceContext<Settings>): Promise<void> {
  const broker = stack.use(
    await startBroker({
      listen: settings.BROKER_LISTEN,
      token: settings.BROKER_TOKEN,
      name: settings.BROKER_NAME,
      image: settings.SANDBOX_IMAGE,
      workBytes: settings.SANDBOX_WORK_BYTES,
      ceiling: {
        memoryBytes: settings.BROKER_MAX_MEMORY_BYTES,
        pids: settings.BROKER_MAX_PIDS,
        cpus: settings.BROKER_MAX_CPUS,
        wallMs: settings.BROKER_MAX_WALL_MS,
      },
      maxContainers: settings.BROKER_MAX_SANDBOXES,
      maxContentBytes: settings.BROKER_MAX_CONTENT_BYTES,
      onError: (error) => log.error({ err: error }, "request to the broker failed"),
    }),
  );
  log.info({ url: broker.url, image: settings.SANDBOX_IMAGE }, "serving sandboxes");
}
