import { beforeAll, expect, test } from "vitest";
import { type QueueConnection } from "@agentswarm/queue";
import { openTestConnection } from "../../../test/support/test-connection.ts";
import { openCostHistory } from "./cost-history.ts";

let connection: QueueConnection;
beforeAll(async () => {
  connection = await openTestConnection();
  return () => connection[Symbol.asyncDispose]();
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
