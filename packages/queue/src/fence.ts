import type { QueueName } from "@agentswarm/contracts";
import { queueOf } from "./bull-side.ts";
import type { QueueConnection } from "./connect.ts";
import { decideOrphans, type ActiveJob, type MissingCounts, type Workers } from "./decide-orphans.ts";
import { handBack } from "./hand-back.ts";
import { idOf } from "./liveness.ts";
import type { Report } from "./throttle-report.ts";

interface FenceOptions {
  readonly queue: QueueName;
  readonly ownName: string;
  readonly running: Workers["running"];
  readonly report: Report;
}

/** The field of a job's hash in which BullMQ keeps the name of its worker (`job.processedBy`). */
const WORKER_FIELD = "pb";
const EVERY_MS = 250;

/**
 * Takes jobs away from workers that died, by the token of their lock, and puts them back to the queue. BullMQ finds such
 * jobs only when their 30 s lock has expired; its stalled check remains for partitions. Returns a function that stops the
 * fence.
 */
export function startFence(
  connection: QueueConnection,
  { queue, ownName, running, report }: FenceOptions,
): () => void {
  let missing: MissingCounts = new Map();
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;

  const takeOrphans = async () => {
    const { liveness } = connection;
    const active = await readActive(connection, queue);
    const others = new Set(active.flatMap(({ worker }) => (worker === null ? [] : idOf(worker))));
    others.delete(idOf(ownName));
    const dead = await liveness.findDead([...others]);
    const workers = { dead, ownName: liveness.isQuiet() ? null : ownName, running };
    const decided = decideOrphans(active, workers, missing);
    missing = decided.missing;
    // A job that is handed back goes to the front of the queue, so the oldest goes last.
    for (const { id, token } of decided.orphans.toReversed()) {
      const job = await queueOf(connection, queue).getJob(id);
      // Another worker may have ended or taken the job meanwhile; then the token is invalid and nothing happens.
      if (job) await handBack(connection, queue, job, token).catch(() => undefined);
    }
  };

  const tick = async () => {
    try {
      if (connection.redis.status === "ready") await takeOrphans();
    } catch (error) {
      report(error);
    }
    if (!stopped) timer = setTimeout(() => void tick(), EVERY_MS);
  };
  void tick();
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}

/**
 * Worker and lock of every active job. Each pair is read in one transaction: a token that is read later could belong to
 * a worker that has taken the job over rightly. Only these two fields are read, because a job's message may be large.
 */
async function readActive(connection: QueueConnection, queue: QueueName): Promise<ActiveJob[]> {
  const bull = queueOf(connection, queue);
  const ids = await bull.getRanges(["active"], 0, -1);
  if (ids.length === 0) return [];
  const reading = connection.redis.multi();
  for (const id of ids) reading.hget(bull.toKey(id), WORKER_FIELD).get(`${bull.toKey(id)}:lock`);
  const answers = (await reading.exec()) ?? [];
  const text = (index: number) => (answers[index]?.[1] as string | null | undefined) ?? null;
  return ids.map((id, index) => ({ id, worker: text(2 * index), token: text(2 * index + 1) }));
}
