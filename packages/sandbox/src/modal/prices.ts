/**
 * What Modal asks for sandboxes, without regional surcharges. An assumption to be checked against the source: its price
 * for functions as told on the day given, times three, which is what a reader of the page said sandboxes cost.
 */
export const MODAL_PRICES = {
  asOf: "2026-06-27",
  source: "https://modal.com/pricing",
  /** A physical core, that is two of a machine's. */
  usdPerCoreSecond: 3 * 0.000_013_1,
  usdPerGibSecond: 3 * 0.000_002_22,
} as const;

const CPUS_PER_CORE = 2;
const GIB = 1024 ** 3;
const MS_PER_S = 1_000;

export interface Usage {
  readonly aliveMs: number;
  /** Physical cores set aside. */
  readonly cores: number;
  readonly memoryBytes: number;
  readonly cpuMs: number | null;
  readonly memoryPeakBytes: number | null;
}

/** An estimate: Modal charges what was set aside or what was used, whichever is more; of memory only the peak is known. */
export function estimateCostUsd(usage: Usage): number {
  const aliveSeconds = usage.aliveMs / MS_PER_S;
  const usedCoreSeconds = (usage.cpuMs ?? 0) / MS_PER_S / CPUS_PER_CORE;
  const coreSeconds = Math.max(usage.cores * aliveSeconds, usedCoreSeconds);
  const gibSeconds = (Math.max(usage.memoryBytes, usage.memoryPeakBytes ?? 0) / GIB) * aliveSeconds;
  return coreSeconds * MODAL_PRICES.usdPerCoreSecond + gibSeconds * MODAL_PRICES.usdPerGibSecond;
}
