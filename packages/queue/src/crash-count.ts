import type { QueueName } from "@agentswarm/contracts";
import type { QueueConnection } from "./connect.ts";

/** How often the process may crash during one job before the job becomes a dead letter. */
export const JOB_CRASH_LIMIT = 5;

const STARTED = `
local starts = redis.call("HGET", KEYS[1], ARGV[1])
if not starts then redis.call("HSET", KEYS[1], ARGV[1], ARGV[2])
elseif not string.find(" " .. starts .. " ", " " .. ARGV[2] .. " ", 1, true) then
  redis.call("HSET", KEYS[1], ARGV[1], starts .. " " .. ARGV[2])
end
return 1`;

/** With ARGV[3] = "all" the starts before it are forgotten too, unless another worker has started the job since. */
const ENDED = `
local kept, own, after = {}, false, false
for token in string.gmatch(redis.call("HGET", KEYS[1], ARGV[1]) or "", "%S+") do
  if token == ARGV[2] then own = true else
    kept[#kept + 1] = token
    after = own
  end
end
if #kept == 0 or (ARGV[3] == "all" and not after) then return redis.call("HDEL", KEYS[1], ARGV[1]) end
return redis.call("HSET", KEYS[1], ARGV[1], table.concat(kept, " "))`;

/**
 * Counts the starts of a job that had no end, each by the token of its lock. Completion, failure, retry and hand-back all
 * count as ends; what remains are crashes of the process, which BullMQ's `attempts` do not count.
 */
export function crashCount(connection: QueueConnection, queue: QueueName) {
  const key = keyOf(connection, queue);
  const { redis } = connection;
  return {
    /** Starts without an end before this one. */
    async read(jobId: string): Promise<number> {
      const starts = await redis.hget(key, jobId);
      return starts === null ? 0 : starts.split(" ").length;
    },
    async started(jobId: string, token: string): Promise<void> {
      await redis.eval(STARTED, 1, key, jobId, token);
    },
    /** The job has ended: its crashes are forgotten. */
    async ended(jobId: string, token: string): Promise<void> {
      await redis.eval(ENDED, 1, key, jobId, token, "all");
    },
    /** Another worker has taken the job over from this process, which is alive: this start is no crash. */
    async takenOver(jobId: string, token: string): Promise<void> {
      await redis.eval(ENDED, 1, key, jobId, token, "own");
    },
  };
}

/** Forgets the crashes of a job that is removed or retried. */
export async function forgetCrashes(
  connection: QueueConnection,
  queue: QueueName,
  jobId: string,
): Promise<void> {
  await connection.redis.hdel(keyOf(connection, queue), jobId);
}

function keyOf(connection: QueueConnection, queue: QueueName): string {
  return connection.key("crashes", queue);
}
