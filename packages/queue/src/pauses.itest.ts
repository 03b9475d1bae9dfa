import { jobId } from "@agentswarm/contracts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeTask } from "../../../test/support/make-task.ts";
import { openTestConnection } from "../../../test/support/test-connection.ts";
import { waitUntil } from "../../../test/support/wait-until.ts";
import {
  consume,
  createSender,
  jobState,
  openPauses,
  pauseTasks,
  pendingJobIds,
  resumeTasks,
  type QueueConnection,
} from "./index.ts";

let connection: QueueConnection;

beforeAll(async () => {
  connection = await openTestConnection();
});
afterAll(async () => {
  await connection[Symbol.asyncDispose]();
});

const task = makeTask();
const ada = { by: "ada", via: "cli", why: "an incident", at: 5 } as const;

test("what is paused stays paused by the first who did it, until it is resumed", async () => {
  const pauses = openPauses(connection);
  const landings = { kind: "landings", repoId: "main" } as const;
  expect(await pauses.begin(landings, ada)).toEqual(ada);
  expect(await pauses.begin(landings, { ...ada, by: "bob", at: 6 })).toEqual(ada);
  expect(await pauses.all()).toEqual([{ scope: landings, pause: ada }]);
  await pauses.end(landings);
  expect(await pauses.read(landings)).toBeNull();
});

test("a pause of the swarm or of its feature keeps a task waiting, one of another feature does not", async () => {
  const pauses = openPauses(connection);
  const feature = { kind: "feature", featureId: "feature-1" } as const;
  await pauses.begin(feature, ada);
  await pauses.requireNone("feature-2");
  await expect(pauses.requireNone("feature-1")).rejects.toMatchObject({
    code: "work.paused",
    source: "operator",
    retryable: true,
    message: "paused by ada: an incident (swarm resume feature-1)",
  });
  await pauses.begin({ kind: "swarm" }, ada);
  await expect(pauses.requireNone("feature-2")).rejects.toMatchObject({ code: "work.paused" });
  await pauses.end({ kind: "swarm" });
  await pauses.end(feature);
});

test("no consumer takes a task while tasks are paused; it is not lost meanwhile, and is taken after it", async () => {
  const taken: string[] = [];
  await pauseTasks(connection);
  await using _consumer = await consume(
    connection,
    "task",
    async (message) => void taken.push(message.task.id),
    { concurrency: 2 },
  );
  const sender = createSender(connection, "test");
  for (const [id, priority] of [
    ["plain", undefined],
    ["urgent", 1],
  ] as const) {
    const options = { jobId: jobId.task(id, 1), ...(priority === undefined ? {} : { priority }) };
    await sender.send("task", { task: { ...task, id }, round: 1 }, options);
  }
  // Both in turn: a consumer that is not paused takes a job within milliseconds.
  await sender.send("plan", { kind: "audit" }, { jobId: "after" });
  let reached = false;
  await using _other = await consume(connection, "plan", async () => void (reached = true), {
    concurrency: 1,
  });
  await waitUntil("a job of another queue", 20_000, async () => reached || null);
  expect(taken).toEqual([]);
  expect((await pendingJobIds(connection, "task")).toSorted()).toEqual(["task-plain-1", "task-urgent-1"]);
  expect(await jobState(connection, "task", "task-plain-1")).toBe("waiting");
  await resumeTasks(connection);
  await waitUntil("both tasks", 20_000, async () => taken.length === 2 || null);
});
