import { Queue, type ConnectionOptions } from "bullmq";
import { Redis, type RedisOptions } from "ioredis";
import { Fault, QUEUE_NAMES, type QueueName } from "@agentswarm/contracts";
import { reportSeldom, reportToStderr, type Report } from "./report-seldom.ts";

/** One service's connection to Redis. All its keys share one hash tag, so that scripts work on a cluster too. */
export interface QueueConnection extends AsyncDisposable {
  readonly redis: Redis;
  /** BullMQ's prefix, with the braces. */
  readonly prefix: string;
  readonly service: string;
  /** What every BullMQ object of this connection is opened with. */
  readonly bull: { readonly connection: ConnectionOptions; readonly prefix: string };
  /** Tells, rate-limited, about errors that nobody waits for. */
  readonly report: Report;
  /** Aborted when the connection is disposed. */
  readonly closed: AbortSignal;
  queue(name: QueueName): Queue;
  /** A key of ours beside BullMQ's. */
  key(...parts: string[]): string;
  /** Redis time in milliseconds since 1970: the one clock that all services share. */
  now(): Promise<number>;
}

const LONGEST_RECONNECT_WAIT_MS = 1_000;
/** Above the longest blocking read (10 s); what is silent for longer is a partition, and we connect anew. */
const SILENCE_MS = 20_000;

const REDIS_OPTIONS = {
  maxRetriesPerRequest: null,
  // BullMQ's own waits grow to 20 s, in which time its workers would be taken for dead.
  retryStrategy: (times: number) => Math.min(times * 50, LONGEST_RECONNECT_WAIT_MS),
  connectTimeout: 5_000,
} satisfies RedisOptions;

const FINISHED_JOBS_KEPT = 1_000;
/**
 * `consume` decides what is retried, and buries by an error that BullMQ never retries. These attempts are for
 * what goes wrong outside the handler, as when Redis refuses to write the end of a job.
 */
const JOB_OPTIONS = {
  attempts: 1_000,
  backoff: { type: "fixed", delay: 1_000 },
  removeOnComplete: { count: FINISHED_JOBS_KEPT },
  removeOnFail: { count: FINISHED_JOBS_KEPT },
} as const;

/**
 * Connects, and refuses a server that may evict keys: a queue that loses jobs without a word is worse than none.
 * Throws Fault `redis.misconfigured`, or `redis.unavailable` when nothing answers.
 */
export async function openQueue(options: {
  redisUrl: string;
  prefix?: string;
  service: string;
  /** Told, rate-limited, about errors that nobody waits for; they go to stderr otherwise. */
  onError?: Report;
  /** After how long a silence a connection with an open question is given up; at least 11 s but in tests. */
  silenceMs?: number;
}): Promise<QueueConnection> {
  const prefix = `{${options.prefix ?? "swarm"}}`;
  const redisOptions = { ...REDIS_OPTIONS, socketTimeout: options.silenceMs ?? SILENCE_MS };
  const bull = { connection: { url: options.redisUrl, ...redisOptions }, prefix };
  const report = reportSeldom(options.onError ?? reportToStderr);
  const redis = new Redis(options.redisUrl, { ...redisOptions, lazyConnect: true });
  // Without a listener an outage would end the process; ioredis reconnects by itself.
  redis.on("error", report);
  try {
    await redis.connect();
  } catch (error) {
    redis.disconnect();
    throw new Fault(
      "redis.unavailable",
      `REDIS_URL: no Redis answers at ${withoutPassword(options.redisUrl)}`,
      {
        retryable: true,
        cause: error,
      },
    );
  }
  await refuseEviction(redis);

  const closed = new AbortController();
  const queues = new Map<QueueName, Queue>();
  const queue = (name: QueueName): Queue => {
    let found = queues.get(name);
    if (found === undefined) {
      found = new Queue(name, { ...bull, defaultJobOptions: JOB_OPTIONS });
      found.on("error", report);
      queues.set(name, found);
    }
    return found;
  };
  return {
    redis,
    prefix,
    service: options.service,
    bull,
    report,
    closed: closed.signal,
    queue,
    key: (...parts) => [prefix, "swarm", ...parts].join(":"),
    async now() {
      const [seconds, micros] = await redis.time();
      return Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000);
    },
    async [Symbol.asyncDispose]() {
      closed.abort();
      // While Redis is away `close` would wait for it.
      const away = redis.status !== "ready";
      await Promise.all([...queues.values()].map((one) => (away ? one.disconnect() : one.close())));
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
