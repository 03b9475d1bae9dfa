import { setTimeout as sleep } from "node:timers/promises";
import { openQueue } from "@agentswarm/queue";
import type { Containers } from "./containers.ts";
import { freePort } from "./free-port.ts";
import { OWN_PREFIX, redisArgs, type RedisOptions, type TestRedis } from "./redis-server.ts";

const READY_TRIES = 100;

/** The server of an image, in a container of the test's own. The image's entrypoint chooses redis-server or valkey-server. */
export async function startRedisContainer(
  { GenericContainer, Wait, client }: Containers,
  image: string,
  options: RedisOptions = {},
): Promise<TestRedis> {
  // A fixed port, because a container that is killed and started again would get another one.
  const port = await freePort();
  const started = await new GenericContainer(image)
    .withExposedPorts({ container: 6_379, host: port })
    .withCommand([...redisArgs(options), "--protected-mode", "no"])
    .withWaitStrategy(Wait.forLogMessage(/Ready to accept connections/))
    .withStartupTimeout(60_000)
    .start();
  const container = client.container.getById(started.getId());
  const url = `redis://${started.getHost()}:${port}`;
  const stop = async () => {
    await started.stop();
  };
  return {
    url,
    prefix: OWN_PREFIX,
    pause: async () => void (await container.pause()),
    resume: async () => void (await container.unpause()),
    async restart() {
      await container.kill();
      await container.start();
      await untilReady(url);
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

async function untilReady(url: string): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await using _connection = await openQueue({ redisUrl: url, service: "test", onError: () => undefined });
      return;
    } catch (error) {
      if (tries === READY_TRIES) throw error;
      await sleep(50);
    }
  }
}
