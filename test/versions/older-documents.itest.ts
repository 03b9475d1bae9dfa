import { DEFAULT_REPO } from "@agentswarm/contracts";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openDocuments, openQueue, type QueueConnection } from "@agentswarm/queue";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { openTestIntake } from "../../services/api/testing/open-intake.ts";
import { openRounds } from "../../services/dispatcher/src/rounds.ts";
import { openCostHistory } from "../../services/planner/src/cost-history.ts";
import { ledgerSchema } from "../../services/planner/src/ledger/ledger.ts";
import { openLedgerStore } from "../../services/planner/src/ledger/ledger-store.ts";
import { RULES } from "../../services/planner/testing/make-ledger.ts";
import { readWhole } from "../../services/planner/testing/read-whole.ts";
import { openCheckRecords } from "../../services/reconciler/src/check-records.ts";
import { startRedis, type TestRedis } from "../support/redis.ts";

/** Documents that a swarm of schema version 1 left in Redis after a run of the demo, by namespace and key. */
const OLD = JSON.parse(
  readFileSync(new URL("../fixtures/version-1/documents.json", import.meta.url), "utf8"),
) as Record<string, Record<string, unknown>>;

let redis: TestRedis;
let connection: QueueConnection;
let home: string;
beforeAll(async () => {
  redis = await startRedis();
  home = mkdtempSync(join(tmpdir(), "swarm-versions-"));
  connection = await openQueue({ redisUrl: redis.url, prefix: redis.prefix, service: "test" });
  for (const [namespace, documents] of Object.entries(OLD)) {
    const store = openDocuments(connection, namespace, z.unknown());
    for (const [key, value] of Object.entries(documents)) await store.compareAndSet(key, 0, value);
  }
});
afterAll(async () => {
  await connection[Symbol.asyncDispose]();
  await redis.stop();
  rmSync(home, { recursive: true, force: true });
});

const keysOf = (namespace: string) => Object.keys(OLD[namespace] ?? {});

test("the planner moves a ledger of version 1 task by task, and its feature belongs to the default repository", async () => {
  const older = await openDocuments(connection, "ledger", ledgerSchema).all();
  const store = openLedgerStore({
    connection,
    rules: RULES,
    usedUp: async () => null,
    reviews: async () => null,
    onWritten: () => undefined,
    onSetAside: ({ why }) => expect.fail(why),
  });
  expect((await store.ids()).toSorted()).toEqual(keysOf("ledger").toSorted());
  await store.open();
  expect(await openDocuments(connection, "ledger", z.unknown()).keys()).toEqual([]);
  expect((await store.ids()).toSorted()).toEqual(keysOf("ledger").toSorted());
  for (const [id, old] of older) {
    const moved = await readWhole(connection, id);
    expect(moved?.feature.repoId).toBe("main");
    expect(moved?.tasks.every(({ task }) => task.repoId === "main")).toBe(true);
    expect({ ...moved, due: [], pending: [] }).toEqual({ ...old, due: [], pending: [] });
    for (const { task } of old.tasks) expect(await store.featureOf(task.id)).toBe(id);
  }
});

test("the planner reads what tasks have cost under version 1", async () => {
  expect((await openCostHistory(connection).all()).length).toBeGreaterThan(0);
});

test("the reconciler reads the check records of version 1", async () => {
  const records = openCheckRecords(connection, DEFAULT_REPO);
  for (const key of keysOf("verdicts")) {
    const [tree = "", checksHash = ""] = key.split("-");
    expect(await records.find(tree, checksHash)).not.toBeNull();
  }
});

test("the dispatcher reads the rounds of version 1", async () => {
  expect((await openRounds(connection).all()).size).toBe(keysOf("rounds").length);
});

test("the api shows the features, tasks and sums of version 1", async () => {
  using intake = await openTestIntake(connection, home);
  const { model } = intake;
  for (const id of keysOf("view-features")) expect((await model.feature(id))?.id).toBe(id);
  for (const id of keysOf("view-tasks")) expect((await model.task(id))?.id).toBe(id);
  expect((await model.swarm()).landings.total).toBeGreaterThan(0);
  const listed = await model.listFeatures({ limit: 200 });
  expect(listed.features.map(({ id }) => id).toSorted()).toEqual(keysOf("view-features").toSorted());
});
