import { openBaseline } from "./baseline-ledger.ts";
import { openBenchPlanner } from "./bench-planner.ts";
import { redisBytes, withRedis, type MeasureOptions } from "./measure.ts";
import { FEATURE, inPairs, taskRecords } from "./task-records.ts";

/** Bytes of Redis memory that the planner keeps for one task. */
export async function measureBytesPerTask({ quick }: MeasureOptions) {
  const size = quick ? 100 : 2_000;
  const records = taskRecords(size, inPairs);
  const perTask = await withRedis(async (connection) => {
    const before = await redisBytes(connection);
    await using planner = openBenchPlanner(connection);
    await planner.fill(records);
    return Math.round(((await redisBytes(connection)) - before) / size);
  });
  const baseline = await withRedis(async (connection) => {
    const before = await redisBytes(connection);
    await openBaseline(connection).fill(FEATURE.id, records);
    return Math.round(((await redisBytes(connection)) - before) / size);
  });
  return { perTask, baseline };
}
