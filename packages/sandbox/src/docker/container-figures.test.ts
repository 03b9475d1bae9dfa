import { expect, test } from "vitest";
import { parseCounted } from "./container-figures.ts";

test("reads control groups of version 1", () => {
  const lines = `/sys/fs/cgroup/cpuacct/cpuacct.usage:346123456
/sys/fs/cgroup/memory/memory.max_usage_in_bytes:6963200
`;
  expect(parseCounted(lines)).toEqual({ cpuMs: 346, memoryPeakBytes: 6_963_200 });
});

test("reads control groups of version 2", () => {
  const lines = `/sys/fs/cgroup/cpu.stat:usage_usec 346123
/sys/fs/cgroup/cpu.stat:user_usec 1
/sys/fs/cgroup/memory.peak:6963200
`;
  expect(parseCounted(lines)).toEqual({ cpuMs: 346, memoryPeakBytes: 6_963_200 });
});

test("tells nothing where nothing is counted", () => {
  expect(parseCounted("")).toEqual({ cpuMs: null, memoryPeakBytes: null });
});
