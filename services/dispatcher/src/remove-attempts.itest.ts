import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { attemptRef } from "@agentswarm/contracts";
import { openStore, type Store } from "@agentswarm/git";
import { openDocuments, openQueue, openTasksInUse, type QueueConnection } from "@agentswarm/queue";
import { commitFiles } from "../../../test/support/commit-files.ts";
import { startRedis, type TestRedis } from "../../../test/support/redis.ts";
import { git, makeStringKit } from "../../../test/support/string-kit.ts";
import { storeRemovals } from "./remove-attempts.ts";
import { openRounds, roundSchema, type Rounds } from "./rounds.ts";

const DAY_MS = 24 * 3_600_000;
const dir = mkdtempSync(join(tmpdir(), "swarm-remove-attempts-"));
const running = new AbortController().signal;
let redis: TestRedis;
let connection: QueueConnection;
let rounds: Rounds;
let store: Store;
beforeAll(async () => {
  redis = await startRedis();
  connection = await openQueue({ redisUrl: redis.url, prefix: redis.prefix, service: "dispatcher" });
  rounds = openRounds(connection);
  store = await openStore({ dir: join(dir, "store.git") });
  const origin = makeStringKit(dir);
  git(store.dir, "fetch", "-q", origin, "main");
  const base = git(origin, "rev-parse", "main");
  const tasks = ["old", "held", "young", "unknown"];
  commitFiles(
    store.dir,
    tasks.map((taskId) => ({ ref: attemptRef(taskId, 1), base, files: { [taskId]: taskId } })),
  );
  const documents = openDocuments(connection, "rounds", roundSchema);
  const now = await connection.now();
  for (const [taskId, days] of [
    ["old", 8],
    ["held", 80],
    ["young", 6],
  ] as const)
    await documents.update(`${taskId}.1`, () => ({ attempts: [1], sent: 1, at: now - days * DAY_MS }));
});
afterAll(async () => {
  await connection?.[Symbol.asyncDispose]();
  await redis?.stop();
  rmSync(dir, { recursive: true, force: true });
});

/** One turn of the upkeep, a day after the one before. Returns the names of the tasks that have attempts then. */
async function turn(warnings: string[] = []): Promise<string[]> {
  await connection.redis.del(connection.key("claims", "remove-attempts"));
  const log = { warn: (message: string) => void warnings.push(message) };
  const removals = storeRemovals({ connection, stores: [store], rounds, attemptDays: 7, log: log as never });
  for (const { remove } of removals) await remove(running);
  // A second dispatcher at the same time does nothing.
  for (const { remove } of removals) expect(await remove(running)).toBe(0);
  return (await store.listAll()).map(({ taskId }) => taskId).toSorted();
}

test("attempts are removed a week after their end, once the planner has said which tasks are in use, and those of a held task stay", async () => {
  const warnings: string[] = [];
  expect(await turn(warnings)).toEqual(["held", "old", "unknown", "young"]);
  expect(warnings).toHaveLength(1);

  await openTasksInUse(connection).tell(["held"]);
  expect(await turn()).toEqual(["held", "unknown", "young"]);
  expect(await rounds.get("old", 1)).toBeNull();
  expect(await rounds.get("held", 1)).not.toBeNull();
  // Its end is not known, so it is kept for a week from the first look.
  expect((await rounds.get("unknown", 0))?.attempts).toEqual([1]);
});
