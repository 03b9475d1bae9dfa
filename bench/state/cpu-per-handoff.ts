import { openBaseline } from "./baseline-ledger.ts";
import { cpuMsOf, withRedis, type Measure } from "./measure.ts";
import { taskId, taskRecords } from "./task-records.ts";

const FEATURE = "feature-bench";

/** Processor time of the planner for one handoff that lands a task, by the number of tasks in its feature. */
export const measureHandoffs: Measure = async ({ quick }) => {
  const sizes = quick ? [10, 20] : [100, 1_000, 10_000];
  const baseline: Record<string, number> = {};
  for (const size of sizes) baseline[size] = await measureBaseline(size, quick);
  return { baseline };
};

function measureBaseline(size: number, quick: boolean): Promise<number> {
  return withRedis(async (connection) => {
    const ledger = openBaseline(connection);
    await ledger.fill(FEATURE, taskRecords(FEATURE, size));
    const batches = { batches: quick || size >= 10_000 ? 2 : 5, perBatch: size >= 10_000 ? 1 : 4 };
    return cpuMsOf(batches, (nth) => ledger.land(FEATURE, taskId(nth % size)));
  });
}
