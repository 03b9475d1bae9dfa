import { expect, test } from "vitest";
import { describeProcess, ownerSchema, ownerState, thisHost } from "./owner.ts";

const own = describeProcess(process.pid);

test("this process is running", () => {
  expect(ownerState(own)).toBe("running");
});

test("an unused pid is gone", () => {
  expect(ownerState({ ...own, pid: 2 ** 22 + 1 })).toBe("gone");
});

test.runIf(own.startedTicks !== null)(
  "a process with the same pid that started at another time is gone",
  () => {
    expect(ownerState({ ...own, startedTicks: (own.startedTicks ?? 0) + 1 })).toBe("gone");
  },
);

test("a process of another host is unknown, whether this host has its pid or not", () => {
  for (const pid of [process.pid, 2 ** 22 + 1])
    expect(ownerState({ ...own, host: "another", pid })).toBe("unknown");
});

test("a record without a host is one of this host", () => {
  const { pid, startedTicks } = own;
  expect(ownerSchema.parse({ pid, startedTicks })).toEqual({ host: thisHost(), pid, startedTicks });
});

test("a host's name fits into a tag beside a pid and a start time", () => {
  expect(thisHost()).toMatch(/^[A-Za-z0-9.-]{1,39}$/);
});
