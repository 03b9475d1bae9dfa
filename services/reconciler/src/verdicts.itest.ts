import { afterAll, beforeAll, expect, test } from "vitest";
import { openQueue, type QueueConnection } from "@agentswarm/queue";
import { startRedis, type TestRedis } from "../../../test/support/redis.ts";
import { openVerdicts } from "./verdicts.ts";

let redis: TestRedis;
let connection: QueueConnection;
beforeAll(async () => {
  redis = await startRedis();
  connection = await openQueue({ redisUrl: redis.url, service: "test" });
});
afterAll(async () => {
  await connection?.[Symbol.asyncDispose]();
  await redis?.stop();
});

test("a verdict is found by its tree and its list of checks together; the newest hundred are kept", async () => {
  const verdicts = openVerdicts(connection);
  const verdict = (at: number) => ({ checks: [], drafts: [], at });
  for (let at = 1; at <= 102; at += 1) await verdicts.keep(`tree${at}`, "list", verdict(at));
  expect(await verdicts.find("tree1", "list")).toBeNull();
  expect(await verdicts.find("tree2", "list")).toBeNull();
  expect(await verdicts.find("tree3", "list")).toEqual(verdict(3));
  expect(await verdicts.find("tree102", "list")).toEqual(verdict(102));
  expect(await verdicts.find("tree102", "another-list")).toBeNull();
  await verdicts.keep("tree3", "list", verdict(200));
  expect(await verdicts.find("tree3", "list")).toEqual(verdict(200));
});
