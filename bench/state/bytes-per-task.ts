import { openBaseline } from "./baseline-ledger.ts";
import { redisBytes, withRedis, type MeasureOptions } from "./measure.ts";
import { taskRecords } from "./task-records.ts";

const FEATURE = "feature-bench";

/** Bytes of Redis memory for one planned task. */
export async function measureBytesPerTask({ quick }: MeasureOptions) {
  const size = quick ? 10 : 1_000;
  const baseline = await withRedis(async (connection) => {
    const before = await redisBytes(connection);
    await openBaseline(connection).fill(FEATURE, taskRecords(FEATURE, size));
    return Math.round(((await redisBytes(connection)) - before) / size);
  });
  return { baseline };
}
