import { Queue } from "bullmq";
import { Redis } from "ioredis";
import { Fault, QUEUE_NAMES, type QueueName } from "@agentswarm/contracts";

/** One service's connection to Redis. All its keys share one hash tag, so that scripts work on a cluster too. */
export interface QueueConnection extends AsyncDisposable {
  readonly redis: Redis;
  readonly redisUrl: string;
  /** BullMQ's prefix, with the braces. */
  readonly prefix: string;
  readonly service: string;
  queue(name: QueueName): Queue;
  /** A key of ours beside BullMQ's. */
  key(...parts: string[]): string;
  /** Redis time in milliseconds since 1970: the one clock that all services share. */
  now(): Promise<number>;
}

const FINISHED_JOBS_KEPT = 1_000;
const LONGEST_RECONNECT_WAIT_MS = 1_000;

/**
 * Connects, and refuses a server that may evict keys: a queue that loses jobs without a word is worse than none.
 * Throws Fault `redis.misconfigured`, or `redis.unavailable` when nothing answers.
 */
export async function openQueue(options: {
  redisUrl: string;
  prefix?: string;
  service: string;
}): Promise<QueueConnection> {
  const prefix = `{${options.prefix ?? "swarm"}}`;
  const redis = new Redis(options.redisUrl, {
    maxRetriesPerRequest: null,
    retryStrategy: (times) => Math.min(times * 50, LONGEST_RECONNECT_WAIT_MS),
    lazyConnect: true,
  });
  // Without a listener an outage would end the process; ioredis reconnects by itself.
  redis.on("error", () => undefined);
  try {
    await redis.connect();
  } catch (error) {
    redis.disconnect();
    throw new Fault("redis.unavailable", `REDIS_URL: no Redis answers at ${withoutPassword(options.redisUrl)}`, {
      retryable: true,
      cause: error,
    });
  }
  await refuseEviction(redis);

  const queues = new Map<QueueName, Queue>();
  const queue = (name: QueueName): Queue => {
    let found = queues.get(name);
    if (found === undefined) {
      found = new Queue(name, {
        connection: { url: options.redisUrl },
        prefix,
        defaultJobOptions: { removeOnComplete: { count: FINISHED_JOBS_KEPT }, removeOnFail: { count: FINISHED_JOBS_KEPT } },
      });
      found.on("error", () => undefined);
      queues.set(name, found);
    }
    return found;
  };
  return {
    redis,
    redisUrl: options.redisUrl,
    prefix,
    service: options.service,
    queue,
    key: (...parts) => [prefix, "swarm", ...parts].join(":"),
    async now() {
      const [seconds, micros] = await redis.time();
      return Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000);
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...queues.values()].map((one) => one.close()));
      redis.disconnect();
    },
  };
}

async function refuseEviction(redis: Redis): Promise<void> {
  // Managed servers forbid CONFIG; there the check is left to `swarm doctor`.
  const answer = await redis.config("GET", "maxmemory-policy").catch(() => null);
  const policy = Array.isArray(answer) ? String(answer[1]) : undefined;
  if (policy === undefined || policy === "noeviction") return;
  redis.disconnect();
  throw new Fault(
    "redis.misconfigured",
    `Redis has maxmemory-policy ${policy}, so it may drop jobs: set maxmemory-policy to noeviction`,
  );
}

function withoutPassword(url: string): string {
  return url.replace(/\/\/[^@/]*@/, "//***@");
}

/** Every queue, for Bull Board. */
export function boardQueues(connection: QueueConnection): Queue[] {
  return QUEUE_NAMES.map((name) => connection.queue(name));
}
