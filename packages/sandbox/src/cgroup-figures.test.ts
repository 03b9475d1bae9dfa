import { expect, test } from "vitest";
import { cgroupFiles, parseCgroupFigures } from "./cgroup-figures.ts";

test("reads control groups of version 1", () => {
  const lines = `/sys/fs/cgroup/cpuacct/./cpuacct.usage:346123456
/sys/fs/cgroup/memory/./memory.max_usage_in_bytes:6963200
`;
  expect(parseCgroupFigures(lines)).toEqual({ cpuMs: 346, memoryPeakBytes: 6_963_200 });
});

test("reads control groups of version 2", () => {
  const lines = `/sys/fs/cgroup/./cpu.stat:usage_usec 1234567
/sys/fs/cgroup/./cpu.stat:user_usec 1
/sys/fs/cgroup/./memory.peak:52428800
`;
  expect(parseCgroupFigures(lines)).toEqual({ cpuMs: 1_235, memoryPeakBytes: 52_428_800 });
});

test("reads every file that it names", () => {
  const [usage, peak, stat, peak2] = cgroupFiles("swarm-a");
  expect(parseCgroupFigures(`${usage}:2500000000\n${peak}:1048576`)).toEqual({
    cpuMs: 2_500,
    memoryPeakBytes: 1_048_576,
  });
  expect(parseCgroupFigures(`${stat}:usage_usec 1000\n${peak2}:1`)).toEqual({ cpuMs: 1, memoryPeakBytes: 1 });
});

test("gives null where nothing is counted", () => {
  expect(parseCgroupFigures("")).toEqual({ cpuMs: null, memoryPeakBytes: null });
  const none = "/sys/fs/cgroup/./cpu.stat:nr_periods 0\n/sys/fs/cgroup/./memory.peak:max\n";
  expect(parseCgroupFigures(none)).toEqual({ cpuMs: null, memoryPeakBytes: null });
});
