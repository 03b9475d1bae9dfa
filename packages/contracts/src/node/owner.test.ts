import { spawn } from "node:child_process";
import { once } from "node:events";
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

test.runIf(process.platform === "linux")(
  "a process that has ended is gone, also while its parent does not notice it",
  async () => {
    // The parent becomes `sleep`, which asks for the end of no child.
    const parent = spawn("sh", ["-c", "sleep 0.1 & echo $!; exec sleep 20"], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    try {
      const [line] = (await once(parent.stdout, "data")) as [Buffer];
      const child = describeProcess(Number(String(line)));
      expect(child.startedTicks).not.toBeNull();
      await expect.poll(() => ownerState(child), { timeout: 10_000 }).toBe("gone");
      // The pid is taken still.
      process.kill(child.pid, 0);
    } finally {
      parent.kill("SIGKILL");
    }
  },
);
