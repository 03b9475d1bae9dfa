import { expect, test } from "vitest";
import { figuresSince } from "./figures-since.ts";
import { estimateCostUsd, MODAL_PRICES } from "./prices.ts";

const GIB = 1024 ** 3;

test("a figure beyond the limits of the sandbox is null", () => {
  const bounds = { aliveMs: 1_000, cpus: 2, memoryBytes: GIB };
  const before = { cpuMs: 500, memoryPeakBytes: 1 };
  expect(figuresSince(before, { cpuMs: 2_000, memoryPeakBytes: GIB }, bounds)).toEqual({
    cpuMs: 1_500,
    memoryPeakBytes: GIB,
  });
  const nothing = { cpuMs: null, memoryPeakBytes: null };
  expect(figuresSince(before, { cpuMs: 3_501, memoryPeakBytes: GIB + 1 }, bounds)).toEqual(nothing);
  expect(figuresSince(before, { cpuMs: 499, memoryPeakBytes: null }, bounds)).toEqual(nothing);
  expect(figuresSince(nothing, { cpuMs: 499, memoryPeakBytes: null }, bounds)).toEqual(nothing);
});

test("an hour costs the reservation, or the use where that is more", () => {
  const hour = { aliveMs: 3_600_000, cores: 0.5, memoryBytes: GIB, cpuMs: null, memoryPeakBytes: null };
  const { usdPerCoreSecond, usdPerGibSecond } = MODAL_PRICES;
  const reserved = 3_600 * (0.5 * usdPerCoreSecond + usdPerGibSecond);
  expect(estimateCostUsd(hour)).toBeCloseTo(reserved, 9);
  expect(estimateCostUsd({ ...hour, cpuMs: 1_000, memoryPeakBytes: GIB / 2 })).toBeCloseTo(reserved, 9);
  // Two vCPUs for the whole hour are one physical core.
  const busy = { ...hour, cpuMs: 2 * 3_600_000, memoryPeakBytes: 4 * GIB };
  expect(estimateCostUsd(busy)).toBeCloseTo(3_600 * (usdPerCoreSecond + 4 * usdPerGibSecond), 9);
});
