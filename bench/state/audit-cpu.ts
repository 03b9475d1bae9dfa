import { audit } from "../../services/planner/src/audit.ts";
import { sendTask } from "../../services/planner/src/carry-out.ts";
import { openBenchPlanner } from "./bench-planner.ts";
import { cpuMsOf, withRedis, type Measure } from "./measure.ts";
import { taskRecords } from "./task-records.ts";

const UNDER_WAY = 100;

/** Processor time of one audit of a feature with 10,000 tasks, 100 of which have their jobs in the queue. */
export const measureAudit: Measure = ({ quick }) =>
  withRedis(async (connection) => {
    await using planner = openBenchPlanner(connection);
    const records = taskRecords(quick ? 200 : 10_000, (nth) => (nth < UNDER_WAY ? null : nth % UNDER_WAY));
    await planner.fill(records);
    for (const record of records.slice(0, UNDER_WAY))
      await sendTask(planner.ctx, { notes: [], answers: [] }, record);
    return cpuMsOf({ batches: 5, perBatch: 2 }, () => audit(planner.ctx));
  });
