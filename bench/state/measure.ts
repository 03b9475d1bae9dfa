import { openQueue, type QueueConnection } from "@agentswarm/queue";
import { startRedis } from "../../test/support/redis.ts";
import { median } from "../landing/measure.ts";

export interface MeasureOptions {
  /** Small sizes, which show only that the measurement works. */
  readonly quick: boolean;
  /** Prints one line for people. */
  readonly say: (line: string) => void;
}

/** Measures one figure: a number, or numbers by size, that JSON can hold. */
export type Measure = (options: MeasureOptions) => Promise<unknown>;

/** Runs a measurement with a connection to an empty Redis of its own. */
export async function withRedis<T>(run: (connection: QueueConnection) => Promise<T>): Promise<T> {
  await using redis = await startRedis({ exclusive: "its memory is measured" });
  await using connection = await openQueue({ redisUrl: redis.url, prefix: redis.prefix, service: "bench" });
  return await run(connection);
}

/**
 * Median processor milliseconds of one call of `work`, over batches of calls. The first batch is a warm-up. Times of
 * single calls are too short for the resolution of the processor's clock.
 */
export async function cpuMsOf(
  { batches, perBatch }: { readonly batches: number; readonly perBatch: number },
  work: (nth: number) => Promise<unknown>,
): Promise<number> {
  const times: number[] = [];
  for (let batch = 0; batch <= batches; batch += 1) {
    const before = process.cpuUsage();
    for (let nth = 0; nth < perBatch; nth += 1) await work(batch * perBatch + nth);
    const { user, system } = process.cpuUsage(before);
    if (batch > 0) times.push((user + system) / 1_000 / perBatch);
  }
  return round(median(times));
}

export function round(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}

/** The bytes that Redis uses for its data now. */
export async function redisBytes({ redis }: QueueConnection): Promise<number> {
  const info = await redis.info("memory");
  return Number(/^used_memory:(\d+)/m.exec(info)?.[1] ?? Number.NaN);
}
