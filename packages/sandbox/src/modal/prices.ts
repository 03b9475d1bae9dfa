/**
 * Modal's prices for sandboxes, without regional surcharges. This is an assumption that must be checked at the source: the
 * price for functions on the given day, times three, as a reader of the page reported for sandboxes.
 */
export const MODAL_PRICES = {
  asOf: "2026-06-27",
  source: "https://modal.com/pricing",
  /** Per physical core, which is two vCPUs. */
  usdPerCoreSecond: 3 * 0.000_013_1,
  usdPerGibSecond: 3 * 0.000_002_22,
} as const;

const CPUS_PER_CORE = 2;
const GIB = 1024 ** 3;
const MS_PER_S = 1_000;

export interface SandboxUsage {
  readonly aliveMs: number;
  /** Reserved physical cores. */
  readonly cores: number;
  readonly memoryBytes: number;
  readonly cpuMs: number | null;
  readonly memoryPeakBytes: number | null;
}

/** Estimates Modal's charge: the reservation or the use, whichever is more. Of the memory only the peak is known. */
export function estimateCostUsd(usage: SandboxUsage): number {
  const aliveSeconds = usage.aliveMs / MS_PER_S;
  const usedCoreSeconds = (usage.cpuMs ?? 0) / MS_PER_S / CPUS_PER_CORE;
  const coreSeconds = Math.max(usage.cores * aliveSeconds, usedCoreSeconds);
  const gibSeconds = (Math.max(usage.memoryBytes, usage.memoryPeakBytes ?? 0) / GIB) * aliveSeconds;
  return coreSeconds * MODAL_PRICES.usdPerCoreSecond + gibSeconds * MODAL_PRICES.usdPerGibSecond;
}
