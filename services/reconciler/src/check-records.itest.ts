import { DEFAULT_REPO } from "@agentswarm/contracts";
import { beforeAll, expect, test } from "vitest";
import { type QueueConnection } from "@agentswarm/queue";
import { openTestConnection } from "../../../test/support/test-connection.ts";
import { openCheckRecords } from "./check-records.ts";

let connection: QueueConnection;
beforeAll(async () => {
  connection = await openTestConnection();
  return () => connection[Symbol.asyncDispose]();
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
