import { once } from "node:events";
import { openQueue } from "@agentswarm/queue";
import { expect, test } from "vitest";
import { slotHolders } from "../../../test/support/queue.ts";
import { startRedis } from "../../../test/support/redis.ts";
import { withSlot } from "./with-slot.ts";

test("work whose slot another run has by now is told to stop, and its end frees nothing of the other's", async () => {
  await using redis = await startRedis();
  await using connection = await openQueue({ redisUrl: redis.url, prefix: redis.prefix, service: "test" });
  const ctx = { connection, maxWorkers: 1 };
  const key = connection.key("slots", "attempts");
  const work = async (signal: AbortSignal) => {
    await connection.redis
      .multi()
      .del(key)
      .zadd(key, (await connection.now()) + 60_000, "other/1")
      .exec();
    if (!signal.aborted) await once(signal, "abort");
    return String(signal.reason);
  };
  expect(await withSlot(ctx, new AbortController().signal, work, 150)).toBe("slot lost");
  expect(await slotHolders(connection, "attempts")).toEqual(["other/1"]);
});
