import { openQueue, type QueueConnection } from "@agentswarm/queue";
import { startRedis } from "./redis.ts";

/** A connection to a Redis for one test file; disposing it stops that Redis too. */
export async function openTestConnection(): Promise<QueueConnection> {
  const redis = await startRedis();
  const connection = await openQueue({ redisUrl: redis.url, prefix: redis.prefix, service: "test" });
  return {
    ...connection,
    async [Symbol.asyncDispose]() {
      await connection[Symbol.asyncDispose]();
      await redis.stop();
    },
  };
}
