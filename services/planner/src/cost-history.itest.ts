import { afterAll, beforeAll, expect, test } from "vitest";
import { openQueue, type QueueConnection } from "@agentswarm/queue";
import { startRedis, type TestRedis } from "../../../test/support/redis.ts";
import { openCostHistory } from "./cost-history.ts";

let redis: TestRedis;
let connection: QueueConnection;
beforeAll(async () => {
  redis = await startRedis();
  connection = await openQueue({ redisUrl: redis.url, prefix: redis.prefix, service: "test" });
});
afterAll(async () => {
  await connection[Symbol.asyncDispose]();
  await redis.stop();
});

const costOf = (tokens: number) => ({ kind: "build" as const, costUsd: 0.1, tokens });

test("the costs of the newest 500 tasks are kept, each once", async () => {
  const history = openCostHistory(connection);
  for (const tokens of [0, 0, 1]) await history.add(`t-${tokens}`, costOf(tokens));
  expect((await history.all()).map(({ tokens }) => tokens)).toEqual([0, 1]);
  for (let nth = 2; nth < 502; nth += 1) await history.add(`t-${nth}`, costOf(nth));
  const kept = (await history.all()).map(({ tokens }) => tokens).toSorted((a, b) => a - b);
  expect([kept.length, kept[0], kept.at(-1)]).toEqual([500, 2, 501]);
});
