import { DEFAULT_REPO } from "@agentswarm/contracts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startRedis, type TestRedis } from "../../../test/support/redis.ts";
import { startWorker } from "../testing/start-worker.ts";
import { createSender, jobState, openQueue } from "./index.ts";

const HOUR_MS = 3_600_000;

let redis: TestRedis;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());

test.concurrent.each([
  ["back", -HOUR_MS],
  ["forth", HOUR_MS],
])(
  "fault 40: a clock that jumps an hour %s changes no schedule, no delay and no lock",
  async (how, jumpMs) => {
    const prefix = `${redis.prefix}-${how}`;
    await using connection = await openQueue({ redisUrl: redis.url, prefix, service: "test" });
    const sender = createSender(connection, "test");
    const body = { why: "manual", repoId: DEFAULT_REPO } as const;
    await using worker = await startWorker(redis.url, { prefix, jumpMs, lockMs: 1_200 });
    const starts = (id: string) =>
      worker.events.filter(({ event, jobId }) => event === "started" && jobId?.startsWith(id)).length;

    await sender.schedule("sweep", "often", 300, { why: "schedule", repoId: DEFAULT_REPO });
    await sender.send("sweep", body, { jobId: "hold-1" });
    await expect.poll(() => starts("hold-1")).toBe(1);
    await sender.send("sweep", body, { jobId: "busy-1" });
    await expect.poll(() => jobState(connection, "sweep", "busy-1")).toBe("delayed");
    const since = performance.now();
    worker.kill("SIGUSR2");
    const ticks = starts("tick-often");

    await expect.poll(() => starts("busy-1"), { timeout: 10_000 }).toBe(2);
    expect(performance.now() - since).toBeGreaterThan(700);
    await expect.poll(() => starts("tick-often"), { timeout: 10_000 }).toBeGreaterThan(ticks + 4);
    // The lock would have expired, and the job would have been started again.
    expect(performance.now() - since).toBeGreaterThan(1_200);
    expect(starts("hold-1")).toBe(1);
    expect(worker.events.filter(({ event }) => event === "aborted")).toEqual([]);
  },
);
