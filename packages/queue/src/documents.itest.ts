import { DEFAULT_REPO } from "@agentswarm/contracts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { startRedis, type TestRedis } from "../../../test/support/redis.ts";
import { createSender, openDocuments, openQueue, type QueueConnection } from "./index.ts";

const counter = z.object({ count: z.number() });
let redis: TestRedis;
let one: QueueConnection;
let two: QueueConnection;

beforeAll(async () => {
  redis = await startRedis();
  one = await openQueue({ redisUrl: redis.url, prefix: redis.prefix, service: "one" });
  two = await openQueue({ redisUrl: redis.url, prefix: redis.prefix, service: "two" });
});
afterAll(async () => {
  await Promise.all([one[Symbol.asyncDispose](), two[Symbol.asyncDispose]()]);
  await redis.stop();
});

test("of many writers of one version exactly one succeeds", async () => {
  const documents = [openDocuments(one, "race", counter), openDocuments(two, "race", counter)] as const;
  for (const expected of [0, 1, 2]) {
    const tries = Array.from({ length: 40 }, (_, index) =>
      documents[index % 2 === 0 ? 0 : 1].compareAndSet("key", expected, { count: index }),
    );
    const won = (await Promise.all(tries)).flatMap((written, index) => (written ? [index] : []));
    expect(won).toHaveLength(1);
    expect(await documents[0].get("key")).toEqual({ value: { count: won[0] }, version: expected + 1 });
  }
});

test("updates of many at once lose no change", async () => {
  const add = (connection: QueueConnection) =>
    openDocuments(connection, "sum", counter).update("sum", (value) => ({ count: (value?.count ?? 0) + 1 }));
  await Promise.all(Array.from({ length: 30 }, (_, index) => add(index % 2 === 0 ? one : two)));
  expect(await openDocuments(one, "sum", counter).get("sum")).toEqual({ value: { count: 30 }, version: 30 });
});

test("an update gets the version that it writes and returns the written value", async () => {
  const documents = openDocuments(one, "update", counter);
  const add = () => documents.update("a", (value, version) => ({ count: (value?.count ?? 0) + version }));
  expect(await add()).toEqual({ count: 1 });
  expect(await add()).toEqual({ count: 3 });
});

test("an update that changes nothing writes nothing and returns the stored value", async () => {
  const documents = openDocuments(one, "unchanged", counter);
  expect(await documents.update("a", () => null)).toBeNull();
  await documents.update("a", () => ({ count: 1 }));
  expect(await documents.update("a", (value) => value)).toEqual({ count: 1 });
  expect(await documents.update("a", () => null)).toEqual({ count: 1 });
  expect((await documents.get("a"))?.version).toBe(1);
});

test("an update that always loses ends with a retryable conflict", async () => {
  const documents = openDocuments(one, "contended", counter);
  const other = { count: -1 };
  // Pipelined behind the update's read, so that every write of the update finds a newer version.
  const losing = documents.update("a", (value, version) => {
    void documents.compareAndSet("a", version - 1, other);
    return { count: (value?.count ?? 0) + 1 };
  });
  await expect(losing).rejects.toMatchObject({ code: "conflict", retryable: true });
  expect((await documents.get("a"))?.value).toEqual(other);
});

test("namespaces and prefixes separate documents", async () => {
  const documents = openDocuments(one, "apart", counter);
  await documents.compareAndSet("a", 0, { count: 1 });
  const prefix = `${redis.prefix}-elsewhere`;
  await using elsewhere = await openQueue({ redisUrl: redis.url, prefix, service: "one" });
  expect(await openDocuments(elsewhere, "apart", counter).get("a")).toBeNull();
  expect(await openDocuments(one, "apart-too", counter).keys()).toEqual([]);
  expect(await documents.all()).toEqual(new Map([["a", { count: 1 }]]));
  await documents.delete("a");
  expect(await documents.get("a")).toBeNull();
  expect(await documents.compareAndSet("a", 0, { count: 2 })).toBe(true);
});

test("reading a value that does not fit the schema throws", async () => {
  await openDocuments(one, "odd", z.object({ other: z.string() })).compareAndSet("a", 0, { other: "x" });
  await expect(openDocuments(one, "odd", counter).get("a")).rejects.toThrow("odd/a");
});

test("all keys share one hash tag", async () => {
  await using own = await startRedis({ exclusive: "it lists all keys of the server" });
  await using connection = await openQueue({ redisUrl: own.url, prefix: "tagged", service: "test" });
  await openDocuments(connection, "tag", counter).update("a", () => ({ count: 1 }));
  await createSender(connection, "test").send("sweep", { why: "manual", repoId: DEFAULT_REPO });
  const keys = await connection.redis.keys("*");
  expect(keys.length).toBeGreaterThan(2);
  expect(keys.filter((key) => !key.startsWith("{tagged}:"))).toEqual([]);
});
