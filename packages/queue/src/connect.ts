import { Queue, QueueEventsProducer } from "bullmq";
import { Redis, type RedisOptions } from "ioredis";
import { Fault, QUEUE_NAMES, type QueueName } from "@agentswarm/contracts";
import { randomUUID } from "node:crypto";
import { BULL, queueOf, type BullSide } from "./bull-side.ts";
import { startLiveness, type Liveness, type LivenessTimes } from "./liveness.ts";
import { reportToStderr, throttleReport, type Report } from "./throttle-report.ts";

/** One service's connection to Redis. All its keys share one hash tag, so that scripts work on a cluster too. */
export interface QueueConnection extends AsyncDisposable {
  readonly redis: Redis;
  /** BullMQ's prefix, with the braces. */
  readonly prefix: string;
  readonly service: string;
  /** Unique among all connections; what this connection holds in Redis begins with it. */
  readonly id: string;
  readonly liveness: Liveness;
  readonly [BULL]: BullSide;
  /** Reports, rate-limited, the errors of background work, which no caller awaits. */
  readonly report: Report;
  /** Aborted when the connection is disposed. */
  readonly closed: AbortSignal;
  /** A key of this package's own, beside BullMQ's keys. */
  key(...parts: string[]): string;
  /** Redis time in milliseconds since 1970: the one clock that all services share. */
  now(): Promise<number>;
}

const MAX_RECONNECT_DELAY_MS = 1_000;
/** Above the longest blocking read (10 s). A connection that is silent for longer is cut off: reconnect. */
const SILENCE_MS = 20_000;

const REDIS_OPTIONS = {
  maxRetriesPerRequest: null,
  // BullMQ's own delays grow to 20 s; until then its workers would count as dead.
  retryStrategy: (times: number) => Math.min(times * 50, MAX_RECONNECT_DELAY_MS),
  connectTimeout: 5_000,
} satisfies RedisOptions;

/** The name of the backoff strategy that `consume` gives to its workers. */
export const REDIS_TIME_BACKOFF = "redis-time";
const FINISHED_JOBS_KEPT = 1_000;
/**
 * `consume` decides about retries, and ends a dead letter by an error that BullMQ never retries. These attempts are for
 * failures outside of the handler, for example when Redis refuses to write the end of a job.
 */
const JOB_OPTIONS = {
  attempts: 1_000,
  // By Redis time: the workers have the strategy.
  backoff: { type: REDIS_TIME_BACKOFF },
  removeOnComplete: { count: FINISHED_JOBS_KEPT },
  removeOnFail: { count: FINISHED_JOBS_KEPT },
} as const;

/**
 * Connects, and refuses a server that may evict keys: such a server would lose jobs silently.
 * Throws Fault `redis.misconfigured`, or `redis.unavailable` when no server answers.
 */
export async function openQueue(options: {
  redisUrl: string;
  prefix?: string;
  service: string;
  /** Gets, rate-limited, the errors of background work; they go to stderr otherwise. */
  onError?: Report;
  /** Milliseconds of silence after which a connection with an unanswered command is closed; at least 11 s but in tests. */
  silenceMs?: number;
  livenessTimes?: Partial<LivenessTimes>;
}): Promise<QueueConnection> {
  const prefix = `{${options.prefix ?? "swarm"}}`;
  const redisOptions = { ...REDIS_OPTIONS, socketTimeout: options.silenceMs ?? SILENCE_MS };
  const bullOptions = { connection: { url: options.redisUrl, ...redisOptions }, prefix };
  const report = throttleReport(options.onError ?? reportToStderr);
  const id = `${options.service}-${randomUUID()}`;
  const redis = new Redis(options.redisUrl, { ...redisOptions, connectionName: id, lazyConnect: true });
  // Without a listener an outage would end the process; ioredis reconnects by itself.
  redis.on("error", report);
  try {
    await redis.connect();
  } catch (error) {
    redis.disconnect();
    throw new Fault(
      "redis.unavailable",
      `REDIS_URL: no Redis answers at ${withoutPassword(options.redisUrl)}`,
      { retryable: true, cause: error },
    );
  }
  await refuseEviction(redis);
  const key = (...parts: string[]) => [prefix, "swarm", ...parts].join(":");
  const liveness = await startLiveness({
    redis,
    id,
    keyOf: (one) => key("alive", one),
    report,
    times: options.livenessTimes,
  });

  const closed = new AbortController();
  const queues = new Map<QueueName, Queue>();
  const queue = (name: QueueName): Queue => {
    let found = queues.get(name);
    if (found === undefined) {
      found = new Queue(name, { ...bullOptions, defaultJobOptions: JOB_OPTIONS });
      found.on("error", report);
      queues.set(name, found);
    }
    return found;
  };
  const producers = new Map<QueueName, QueueEventsProducer>();
  const producer = (name: QueueName): QueueEventsProducer => {
    let found = producers.get(name);
    if (found === undefined) {
      found = new QueueEventsProducer(name, bullOptions);
      found.on("error", report);
      producers.set(name, found);
    }
    return found;
  };
  return {
    redis,
    prefix,
    service: options.service,
    id,
    liveness,
    [BULL]: { options: bullOptions, queue, producer },
    report,
    closed: closed.signal,
    key,
    async now() {
      const [seconds, micros] = await redis.time();
      return Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000);
    },
    async [Symbol.asyncDispose]() {
      closed.abort();
      // While Redis is away `close` would wait for it.
      const away = redis.status !== "ready";
      const opened = [...queues.values(), ...producers.values()];
      await Promise.all(opened.map((one) => (away ? one.disconnect() : one.close())));
      await liveness.stop();
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

/** BullMQ's queues, for Bull Board. */
export function boardQueues(connection: QueueConnection): Queue[] {
  return QUEUE_NAMES.map((name) => queueOf(connection, name));
}
