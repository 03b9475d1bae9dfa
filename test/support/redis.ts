import { randomUUID } from "node:crypto";
import { openQueue } from "@agentswarm/queue";
import { findContainers } from "./containers.ts";
import { startRedisContainer } from "./redis-container.ts";
import { startRedisProcess } from "./redis-process.ts";
import type { RedisOptions, TestRedis } from "./redis-server.ts";

export type { TestRedis } from "./redis-server.ts";

/**
 * A real Redis. By default redis-server runs as a process of the test file's own (SWARM_REDIS_SERVER, else the PATH).
 * With REDIS_URL all test files share that server, each under a prefix of its own, except for tests that need an
 * `exclusive` one. With TEST_REDIS_IMAGE, for example `redis:8`, own servers run in containers, where Docker answers.
 */
export async function startRedis(options: RedisOptions = {}): Promise<TestRedis> {
  const shared = process.env["REDIS_URL"];
  const exclusive =
    options.exclusive ?? (options.durable ? "it restarts the server" : options.args?.join(" "));
  if (shared && exclusive === undefined) return shareRedis(shared);
  if (shared)
    console.info(`REDIS_URL is not used here, because the test needs a server of its own: ${exclusive}`);
  const image = process.env["TEST_REDIS_IMAGE"];
  const containers = image ? await findContainers("TEST_REDIS_IMAGE is not used") : null;
  if (image && containers !== null) return startRedisContainer(containers, image, options);
  return startRedisProcess(options);
}

function shareRedis(url: string): TestRedis {
  const prefix = `test-${randomUUID().slice(0, 8)}`;
  const refuse = (): never => {
    throw new Error("a shared Redis stays up: ask startRedis for an exclusive one");
  };
  const stop = async () => {
    await using connection = await openQueue({ redisUrl: url, prefix, service: "test" });
    let cursor = "0";
    do {
      const [next, keys] = await connection.redis.scan(cursor, "MATCH", `{${prefix}*`, "COUNT", 1_000);
      if (keys.length > 0) await connection.redis.unlink(...keys);
      cursor = next;
    } while (cursor !== "0");
  };
  return {
    url,
    prefix,
    pause: async () => refuse(),
    resume: async () => refuse(),
    restart: async () => refuse(),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
