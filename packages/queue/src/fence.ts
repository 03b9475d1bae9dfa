import type { QueueName } from "@agentswarm/contracts";
import type { QueueConnection } from "./connect.ts";

/** Where BullMQ notes in a job's hash which worker processes it (`job.processedBy`). */
const HOLDER_FIELD = "pb";
const EVERY_MS = 250;
/** After Redis came back the workers need a moment to be listed again. */
const QUIET_AFTER_RECONNECT_MS = 5_000;

/**
 * Takes jobs away from workers that died. BullMQ finds those only after their 30 s lock has run out; here the
 * name every worker connects under is compared with the workers that active jobs name, and a job whose worker
 * was missing twice in a row goes back to the queue by its lock's token, within about half a second. The
 * stalled check stays as the backstop for partitions. Returns the stop.
 */
export function startFence(
  connection: QueueConnection,
  queue: QueueName,
  ownName: string,
  report: (error: unknown) => void,
): () => void {
  let suspects = new Set<string>();
  let quietUntil = 0;
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  const onReady = () => {
    quietUntil = Date.now() + QUIET_AFTER_RECONNECT_MS;
    suspects = new Set();
  };
  connection.redis.on("ready", onReady);

  const look = async () => {
    const bull = connection.queue(queue);
    const active = await bull.getRanges(["active"], 0, -1);
    if (active.length === 0) return new Set<string>();
    // Only the holder's name: a job's whole text may be large, and this runs four times a second.
    const holders = await Promise.all(
      active.map((id) => connection.redis.hget(bull.toKey(id), HOLDER_FIELD)),
    );
    const workers = await bull.getWorkers();
    const names = new Set(workers.map((worker) => (worker["rawname"] ?? "").split(":w:")[1] ?? ""));
    // Where clients cannot be listed, or we are not among them, nobody can be told to be missing.
    if (!names.has(ownName)) return new Set<string>();
    const orphans = active.filter((_, index) => {
      const holder = holders[index] ?? null;
      return holder !== null && !names.has(holder);
    });
    for (const id of orphans.filter((one) => suspects.has(one))) {
      const [job, token] = await Promise.all([
        bull.getJob(id),
        connection.redis.get(`${bull.toKey(id)}:lock`),
      ]);
      // Somebody may have ended or taken it meanwhile; then the token no longer fits and nothing happens.
      if (job && token !== null) await job.moveToWait(token).catch(() => undefined);
    }
    return new Set(orphans);
  };

  const tick = async () => {
    try {
      if (Date.now() >= quietUntil && connection.redis.status === "ready") suspects = await look();
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
