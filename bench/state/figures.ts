import { measureAudit } from "./audit-cpu.ts";
import { measureHandoffs } from "./cpu-per-handoff.ts";
import { measureLists } from "./list-features.ts";
import type { Measure } from "./measure.ts";
import { measureRedisBytes } from "./redis-bytes.ts";
import { measureCpuPerEvent } from "./take-events.ts";

/** The figures of the benchmark by their names in its JSON line, in the order in which they are measured. */
export const FIGURES: Readonly<Record<string, Measure>> = {
  cpuMsPerHandoff: measureHandoffs,
  auditMs10000: measureAudit,
  apiCpuMsPerEvent: measureCpuPerEvent,
  listCpuMs: measureLists,
  redisBytes: measureRedisBytes,
};
