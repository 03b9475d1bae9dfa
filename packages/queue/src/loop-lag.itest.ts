import { expect, test } from "vitest";
import { startRedis } from "../../../test/support/redis.ts";
import { openQueue, readLag, reportLag } from "./index.ts";

test("the longest lag of a service's processes within the last minute is shown, and older ones are removed", async () => {
  await using redis = await startRedis();
  const open = (service: string) =>
    openQueue({ redisUrl: redis.url, prefix: redis.prefix, service, onError: () => undefined });
  await using one = await open("planner");
  await using two = await open("planner");
  const key = one.key("loop-lag");
  await one.redis.zadd(key, (await one.now()) - 70_000, "planner planner-of-old 900");
  using _one = reportLag(one, () => 40);
  using _two = reportLag(two, () => 70);
  await expect.poll(() => one.redis.zcard(key), { timeout: 20_000 }).toBe(2);
  expect([...(await readLag(one))]).toEqual([["planner", 70]]);
});
