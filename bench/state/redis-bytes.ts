import { measureBytesPerTask } from "./bytes-per-task.ts";
import type { Measure } from "./measure.ts";
import { measureBytesPerEvent } from "./take-events.ts";

/** Bytes of Redis memory for one task, which the planner keeps, and for one event. */
export const measureRedisBytes: Measure = async (options) => {
  const { perTask, baseline } = await measureBytesPerTask(options);
  return { perTask, perEvent: await measureBytesPerEvent(options), baseline: { perTask: baseline } };
};
