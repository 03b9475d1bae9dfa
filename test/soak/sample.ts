import { readFile } from "node:fs/promises";
import { readLag, type QueueConnection } from "@agentswarm/queue";
import type { Supervised } from "../../tools/local/supervise.ts";

/** Sizes at one moment. */
export interface Sample {
  readonly atSeconds: number;
  /** Memory of each process, by its name. */
  readonly rssMib: Readonly<Record<string, number>>;
  /** The longest pause of an event loop just before, by service; `soak` is this process. */
  readonly lagMs: Readonly<Record<string, number>>;
  readonly redisMib: number;
  readonly redisKeys: number;
}

const LAG_WITHIN_MS = 10_000;

export async function takeSample(
  members: readonly Supervised[],
  connection: QueueConnection,
  atSeconds: number,
): Promise<Sample> {
  const { redis } = connection;
  const rssMib: Record<string, number> = {};
  for (const { name, pid } of members) {
    const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
    const kib = /^VmRSS:\s+(\d+)/m.exec(status)?.[1];
    if (kib !== undefined) rssMib[name] = Math.round(Number(kib) / 1_024);
  }
  const memory = /^used_memory:(\d+)/m.exec(await redis.info("memory"))?.[1];
  return {
    atSeconds,
    rssMib,
    lagMs: Object.fromEntries(await readLag(connection, LAG_WITHIN_MS)),
    redisMib: Math.round(Number(memory ?? 0) / 2 ** 20),
    redisKeys: await redis.dbsize(),
  };
}
