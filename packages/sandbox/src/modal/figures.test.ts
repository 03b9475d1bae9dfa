import { expect, test } from "vitest";
import { estimateCostUsd, MODAL_PRICES } from "./prices.ts";
import { parseUse, useSince } from "./read-use.ts";

const GIB = 1024 ** 3;

test("reads what control groups of either version counted", () => {
  const second = "@cpu.stat\nusage_usec 1234567\nuser_usec 1\n@memory.peak\n52428800\n";
  expect(parseUse(second)).toEqual({ cpuMs: 1_235, memoryPeakBytes: 52_428_800 });
  const first = "@cpuacct/cpuacct.usage\n2500000000\n@memory/memory.max_usage_in_bytes\n1048576\n";
  expect(parseUse(first)).toEqual({ cpuMs: 2_500, memoryPeakBytes: 1_048_576 });
});

test("what is not counted there is null", () => {
  expect(parseUse("")).toEqual({ cpuMs: null, memoryPeakBytes: null });
  expect(parseUse("@cpu.stat\nnr_periods 0\n@memory.peak\nmax\n")).toEqual({
    cpuMs: null,
    memoryPeakBytes: null,
  });
});

test("a sandbox took what was counted since its begin, unless that cannot be its own", () => {
  const bounds = { aliveMs: 1_000, cpus: 2, memoryBytes: GIB };
  const before = { cpuMs: 500, memoryPeakBytes: 1 };
  expect(useSince(before, { cpuMs: 2_000, memoryPeakBytes: GIB }, bounds)).toEqual({
    cpuMs: 1_500,
    memoryPeakBytes: GIB,
  });
  const nothing = { cpuMs: null, memoryPeakBytes: null };
  expect(useSince(before, { cpuMs: 3_501, memoryPeakBytes: GIB + 1 }, bounds)).toEqual(nothing);
  expect(useSince(before, { cpuMs: 499, memoryPeakBytes: null }, bounds)).toEqual(nothing);
  expect(useSince(nothing, { cpuMs: 499, memoryPeakBytes: null }, bounds)).toEqual(nothing);
});

test("an hour costs what was set aside, or what was used where that is more", () => {
  const hour = { aliveMs: 3_600_000, cores: 0.5, memoryBytes: GIB, cpuMs: null, memoryPeakBytes: null };
  const { usdPerCoreSecond, usdPerGibSecond } = MODAL_PRICES;
  const reserved = 3_600 * (0.5 * usdPerCoreSecond + usdPerGibSecond);
  expect(estimateCostUsd(hour)).toBeCloseTo(reserved, 9);
  expect(estimateCostUsd({ ...hour, cpuMs: 1_000, memoryPeakBytes: GIB / 2 })).toBeCloseTo(reserved, 9);
  // Two of the machine's processors for the whole hour are one physical core.
  const busy = { ...hour, cpuMs: 2 * 3_600_000, memoryPeakBytes: 4 * GIB };
  expect(estimateCostUsd(busy)).toBeCloseTo(3_600 * (usdPerCoreSecond + 4 * usdPerGibSecond), 9);
});
