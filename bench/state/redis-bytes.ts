import type { Measure } from "./measure.ts";
import { measureBytesPerTask } from "./bytes-per-task.ts";
import { measureBytesPerEvent } from "./take-events.ts";

/** Bytes of Redis memory for one task, which the planner keeps, and for one event. */
export const measureRedisBytes: Measure = async (options) => ({
  perTask: await measureBytesPerTask(options),
  perEvent: await measureBytesPerEvent(options),
});
