import { handlePlan } from "../../services/planner/src/handle-plan.ts";
import { absorbHandoff } from "../../services/planner/src/ledger/absorb-handoff.ts";
import { openBaseline } from "./baseline-ledger.ts";
import { landed, openBenchPlanner } from "./bench-planner.ts";
import { median } from "../landing/measure.ts";
import { cpuMsOf, withRedis, type Measure } from "./measure.ts";
import { FEATURE, inPairs, taskId, taskRecords } from "./task-records.ts";

/** The smallest feature has so many pairs of tasks, each of which one handoff takes. */
const PER_BATCH = 8;
const BATCHES = 5;
/** The sizes are measured by turns, each time on a new feature, so that a busy moment of the machine does not meet one only. */
const ROUNDS = 7;
/** Handoffs before the first measurement, until the code is compiled; without them the smallest size, the first, loses. */
const WARM_UP = 400;

/**
 * Processor time of the planner for one handoff that lands a task and so sends another one, by the number of tasks in the
 * feature, with all its effects: a task job, four events and the history of costs. `ledger` is the ledger's part of it, which
 * is what the baseline measures.
 */
export const measureHandoffs: Measure = async ({ quick }) => {
  const sizes = quick ? [100] : [100, 1_000, 10_000];
  const whole: Record<string, number> = {};
  const ledger: Record<string, number> = {};
  const baseline: Record<string, number> = {};
  await warmUp(quick ? PER_BATCH : WARM_UP);
  const rounds: { whole: number; ledger: number }[][] = [];
  for (let round = 0; round < (quick ? 1 : ROUNDS); round += 1) {
    for (const [nth, size] of sizes.entries()) {
      rounds[nth] ??= [];
      rounds[nth].push({ whole: await measureWhole(size), ledger: await measureLedger(size) });
    }
  }
  for (const [nth, size] of sizes.entries()) {
    const measured = rounds[nth] ?? [];
    whole[size] = median(measured.map((one) => one.whole));
    ledger[size] = median(measured.map((one) => one.ledger));
    baseline[size] = await measureBaseline(size, quick);
  }
  return { ...whole, ledger, baseline };
};

function warmUp(handoffs: number): Promise<void> {
  return withRedis(async (connection) => {
    await using planner = openBenchPlanner(connection);
    await planner.fill(taskRecords(2 * handoffs, inPairs));
    for (let nth = 0; nth < handoffs; nth += 1)
      await handlePlan(planner.ctx, landed(taskId(2 * nth)), `handoff-${nth}`);
  });
}

const batches = { batches: BATCHES, perBatch: PER_BATCH };

function measureLedger(size: number): Promise<number> {
  return withRedis(async (connection) => {
    await using planner = openBenchPlanner(connection);
    await planner.fill(taskRecords(size, inPairs));
    const { ledgers } = planner.ctx;
    return cpuMsOf(batches, async (nth) => {
      const { handoff, outcome } = landed(taskId(2 * nth));
      const step = await ledgers.update(FEATURE.id, (now) => now && absorbHandoff(now, handoff, outcome), [
        handoff.taskId,
      ]);
      if (step?.entry) await ledgers.done(step.ledger, step.entry.name);
      await ledgers.get(FEATURE.id);
    });
  });
}

function measureWhole(size: number): Promise<number> {
  return withRedis(async (connection) => {
    await using planner = openBenchPlanner(connection);
    await planner.fill(taskRecords(size, inPairs));
    return cpuMsOf(batches, (nth) => handlePlan(planner.ctx, landed(taskId(2 * nth)), `handoff-${nth}`));
  });
}

function measureBaseline(size: number, quick: boolean): Promise<number> {
  return withRedis(async (connection) => {
    const ledger = openBaseline(connection);
    await ledger.fill(FEATURE.id, taskRecords(size, inPairs));
    const few = { batches: quick || size >= 10_000 ? 2 : BATCHES, perBatch: size >= 10_000 ? 1 : 4 };
    return cpuMsOf(few, (nth) => ledger.land(FEATURE.id, taskId((2 * nth) % size)));
  });
}
