import { DEFAULT_REPO } from "@agentswarm/contracts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openQueue, type QueueConnection } from "@agentswarm/queue";
import { startRedis, type TestRedis } from "../../../test/support/redis.ts";
import { openCheckRecords } from "./check-records.ts";

let redis: TestRedis;
let connection: QueueConnection;
beforeAll(async () => {
  redis = await startRedis();
  connection = await openQueue({ redisUrl: redis.url, prefix: redis.prefix, service: "test" });
});
afterAll(async () => {
  await connection?.[Symbol.asyncDispose]();
  await redis?.stop();
});

test("the newest hundred records are kept, each found by tree and list of checks", async () => {
  const records = openCheckRecords(connection, DEFAULT_REPO);
  const record = (at: number) => ({ checks: [], drafts: [], at });
  for (let at = 1; at <= 102; at += 1) await records.keep(`tree${at}`, "list", record(at));
  expect(await records.find("tree1", "list")).toBeNull();
  expect(await records.find("tree2", "list")).toBeNull();
  expect(await records.find("tree3", "list")).toEqual(record(3));
  expect(await records.find("tree102", "list")).toEqual(record(102));
  expect(await records.find("tree102", "another-list")).toBeNull();
  await records.keep("tree3", "list", record(200));
  expect(await records.find("tree3", "list")).toEqual(record(200));
});
