import type { QueueName } from "@agentswarm/contracts";
import type { QueueConnection } from "./connect.ts";
import { decideOrphans, type ActiveJob, type Suspicion } from "./decide-orphans.ts";
import { handBack } from "./hand-back.ts";
import type { Report } from "./report-seldom.ts";

interface Guarded {
  readonly queue: QueueName;
  readonly ownName: string;
  readonly running: ReadonlySet<string>;
  readonly report: Report;
}

/** Where BullMQ notes in a job's hash which worker processes it (`job.processedBy`). */
const HOLDER_FIELD = "pb";
const EVERY_MS = 250;
/** After Redis came back the workers need a moment to be listed again. */
const QUIET_AFTER_RECONNECT_MS = 5_000;

/**
 * Takes jobs away from workers that died. BullMQ finds those only after their 30 s lock has run out; here the
 * name every worker connects under is compared with the workers that active jobs name, and what nobody works at
 * goes back to the queue by its lock's token, within about half a second. The stalled check stays as the backstop
 * for partitions. Returns the stop.
 */
export function startFence(
  connection: QueueConnection,
  { queue, ownName, running, report }: Guarded,
): () => void {
  let suspicion: Suspicion = new Map();
  let quietUntil = 0;
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  const onReady = () => {
    quietUntil = Date.now() + QUIET_AFTER_RECONNECT_MS;
    suspicion = new Map();
  };
  connection.redis.on("ready", onReady);

  const look = async () => {
    const bull = connection.queue(queue);
    const active = await readActive(connection, queue);
    const workers = active.length === 0 ? [] : await bull.getWorkers();
    const connected = new Set(workers.map((worker) => (worker["rawname"] ?? "").split(":w:")[1] ?? ""));
    const decided = decideOrphans(active, { connected, ownName, running }, suspicion);
    suspicion = decided.suspicion;
    // Each goes before all others that wait, so the one that came first goes back last.
    for (const { id, token } of decided.orphans.toReversed()) {
      const job = await bull.getJob(id);
      // Somebody may have ended or taken it meanwhile; then the token no longer fits and nothing happens.
      if (job) await handBack(connection, queue, job, token).catch(() => undefined);
    }
  };

  const tick = async () => {
    try {
      if (Date.now() >= quietUntil && connection.redis.status === "ready") await look();
    } catch (error) {
      report(error);
    }
    if (!stopped) timer = setTimeout(() => void tick(), EVERY_MS);
  };
  void tick();
  return () => {
    stopped = true;
    clearTimeout(timer);
    connection.redis.off("ready", onReady);
  };
}

/**
 * Holder and lock of every active job, each pair read at one moment: a token read later could belong to a worker
 * that has rightly taken the job over. Only these two, as a job's whole text may be large.
 */
async function readActive(connection: QueueConnection, queue: QueueName): Promise<ActiveJob[]> {
  const bull = connection.queue(queue);
  const ids = await bull.getRanges(["active"], 0, -1);
  if (ids.length === 0) return [];
  const reading = connection.redis.multi();
  for (const id of ids) reading.hget(bull.toKey(id), HOLDER_FIELD).get(`${bull.toKey(id)}:lock`);
  const answers = (await reading.exec()) ?? [];
  const text = (index: number) => (answers[index]?.[1] as string | null | undefined) ?? null;
  return ids.map((id, index) => ({ id, holder: text(2 * index), token: text(2 * index + 1) }));
}
