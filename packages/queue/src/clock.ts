import type { Job } from "bullmq";
import { jobId, newTraceparent, SCHEMA_VERSION, type Envelope, type QueueName } from "@agentswarm/contracts";
import { queueOf } from "./bull-side.ts";
import type { QueueConnection } from "./connect.ts";
import { jobState, type JobState } from "./jobs.ts";
import type { Report } from "./throttle-report.ts";

/**
 * Redis time for what is due (decision 013). BullMQ compares due times with the clock of whichever process looks, so a
 * clock that is an hour off would start delayed jobs at once, or an hour late. Delayed jobs therefore lie a century ahead,
 * where BullMQ finds none of them due, and each consumer's clock puts those that are due by Redis time to work.
 */
const BEYOND_MS = 100 * 365 * 24 * 3_600_000;
/** BullMQ multiplies the due time by this number in a job's score, to keep the order of jobs that are due together. */
const SCORE_FACTOR = 0x1000;
const LOOK_EVERY_MS = 250;
const AT_ONCE = 100;

/** The delay that BullMQ is to be given for a job that is due in `delayMs`; BullMQ adds this machine's time to it. */
export async function bullDelay(connection: QueueConnection, delayMs: number): Promise<number> {
  return (await connection.now()) + delayMs + BEYOND_MS - Date.now();
}

/** Puts an active job back, due in `delayMs`. Throws when `token` is not the job's lock. */
export async function moveToDelayed(
  connection: QueueConnection,
  job: Job,
  token: string | undefined,
  delayMs: number,
): Promise<void> {
  await job.moveToDelayed((await connection.now()) + delayMs + BEYOND_MS, token);
}

interface Schedule {
  readonly everyMs: number;
  readonly body: unknown;
}

/** KEYS as in `schedulesOf`. ARGV: name, schedule, milliseconds between two runs. */
const SET_SCHEDULE = `
local time = redis.call("TIME")
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call("HSET", KEYS[1], ARGV[1], ARGV[2])
local due = tonumber(redis.call("ZSCORE", KEYS[2], ARGV[1]) or now)
redis.call("ZADD", KEYS[2], math.min(due, now + ARGV[3]), ARGV[1])
return 1`;

/** Sets a schedule, which runs at once if it is new and then every `everyMs`. */
export async function setSchedule(
  connection: QueueConnection,
  queue: QueueName,
  name: string,
  schedule: Schedule,
): Promise<void> {
  // Earlier versions used BullMQ's schedulers.
  await queueOf(connection, queue).removeJobScheduler(name);
  const keys = schedulesOf(connection, queue);
  await connection.redis.eval(
    SET_SCHEDULE,
    keys.length,
    ...keys,
    name,
    JSON.stringify(schedule),
    schedule.everyMs,
  );
}

/** Whether `Sender.schedule` made a schedule of this name and Redis still has it. */
export async function hasSchedule(
  connection: QueueConnection,
  queue: QueueName,
  name: string,
): Promise<boolean> {
  return (await connection.redis.hexists(schedulesOf(connection, queue)[0], name)) === 1;
}

/**
 * KEYS as in `schedulesOf`, and BullMQ's delayed jobs. ARGV: the century, the
 * score's factor, how many jobs at once. Claims the runs of the schedules that are due, each for one caller. Gives Redis
 * time, the delayed jobs that are due, and per claimed schedule its name, the schedule, and the time of the run before.
 */
const LOOK = `
local time = redis.call("TIME")
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local runs = {}
for _, name in ipairs(redis.call("ZRANGEBYSCORE", KEYS[2], "-inf", now)) do
  local text = redis.call("HGET", KEYS[1], name)
  if text then
    redis.call("ZADD", KEYS[2], now + cjson.decode(text).everyMs, name)
    runs[#runs + 1] = {name, text, redis.call("HGET", KEYS[3], name) or ""}
  else redis.call("ZREM", KEYS[2], name) end
end
local first = ARGV[1] * ARGV[2]
local last = (ARGV[1] + now + 1) * ARGV[2] - 1
return {now, redis.call("ZRANGEBYSCORE", KEYS[4], first, last, "LIMIT", 0, ARGV[3]), runs}`;

/** Starts what is due in a queue, by Redis time. Returns a function that stops the clock. */
export function startClock(connection: QueueConnection, queue: QueueName, report: Report): () => void {
  const bull = queueOf(connection, queue);
  const keys = [...schedulesOf(connection, queue), bull.toKey("delayed")] as const;
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;

  const look = async () => {
    const args = [BEYOND_MS, SCORE_FACTOR, AT_ONCE];
    const answer = await connection.redis.eval(LOOK, keys.length, ...keys, ...args);
    const [now, due, runs] = answer as [number, string[], [string, string, string][]];
    for (const [name, text, before] of runs) {
      // Runs must not pile up: none is added while the one before it waits or works.
      const last = jobId.scheduled(name, Number(before));
      if (before !== "" && isPending(await jobState(connection, queue, last))) continue;
      await connection.redis.hset(keys[2], name, now);
      const { body } = JSON.parse(text) as Schedule;
      const message: Envelope = { schemaVersion: SCHEMA_VERSION, sentAt: now, trace: newTraceparent(), body };
      await bull.add(queue, message, { jobId: jobId.scheduled(name, now) });
    }
    for (const id of due) {
      const job = await bull.getJob(id);
      // Another consumer may have been first.
      await job?.promote().catch(() => undefined);
    }
  };
  const tick = async () => {
    try {
      if (connection.redis.status === "ready") await look();
    } catch (error) {
      report(error);
    }
    if (!stopped) timer = setTimeout(() => void tick(), LOOK_EVERY_MS);
  };
  void tick();
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}

function isPending(state: JobState): boolean {
  return state !== "completed" && state !== "failed" && state !== "missing";
}

/** Three hashes and sets by the schedule's name: the schedule, when it is due next, when its last run was due. */
function schedulesOf(connection: QueueConnection, queue: QueueName): [string, string, string] {
  return [
    connection.key("schedules", queue),
    connection.key("schedules", queue, "due"),
    connection.key("schedules", queue, "last"),
  ];
}
