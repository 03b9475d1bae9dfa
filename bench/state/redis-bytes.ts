import type { Measure } from "./measure.ts";
import { measureBytesPerTask } from "./bytes-per-task.ts";

/** Bytes of Redis memory that the planner keeps for one task. */
export const measureRedisBytes: Measure = async (options) => ({
  perTask: await measureBytesPerTask(options),
});
