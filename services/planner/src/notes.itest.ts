import { afterAll, beforeAll, expect, test } from "vitest";
import type { Note, TaskMessage } from "@agentswarm/contracts";
import { consume, type QueueConnection } from "@agentswarm/queue";
import { openTestConnection } from "../../../test/support/test-connection.ts";
import { byKey, DEFAULTS, feature, planned } from "../testing/make-ledger.ts";
import { openContext } from "../testing/open-context.ts";
import { readWhole } from "../testing/read-whole.ts";
import { audit } from "./audit.ts";
import { step } from "./carry-out.ts";
import { handlePlan } from "./handle-plan.ts";
import { adoptPlan } from "./ledger/adopt-plan.ts";
import { newLedger } from "./ledger/ledger.ts";

let connection: QueueConnection;
beforeAll(async () => {
  connection = await openTestConnection();
});
afterAll(async () => {
  await connection[Symbol.asyncDispose]();
});

const note = (id: string): Note => ({
  id,
  by: "ada",
  via: "cli",
  at: 1,
  text: `about ${id}`,
  mode: "steer",
  answers: null,
});

test("a note reaches a running agent by a signal, a waiting task by its message, and is repeated until the handoff", async () => {
  await using open = openContext(connection);
  const { ctx } = open;
  const featureId = feature.id;
  await step(ctx, featureId, () => newLedger(feature, "one"));
  await step(ctx, featureId, (now) => now && adoptPlan(now, [planned("a"), planned("b")], DEFAULTS));
  const ledger = await readWhole(connection, featureId);
  if (ledger === undefined) throw new Error("there is no ledger");
  const [a, b] = [byKey(ledger, "a").task.id, byKey(ledger, "b").task.id];
  const say = (taskId: string | null, id: string) =>
    handlePlan(ctx, { kind: "note", featureId, taskId, note: note(id) }, id);
  await say(null, "before");

  const [running, ended] = [Promise.withResolvers<string>(), Promise.withResolvers<void>()];
  const messages: TaskMessage[] = [];
  const signals: string[] = [];
  await using _dispatcher = await consume(
    connection,
    "task",
    async (message, job) => {
      messages.push(message);
      job.onSignal(({ notes }) => signals.push(...notes.map(({ id }) => id)));
      running.resolve(message.task.id);
      await ended.promise;
    },
    { concurrency: 1 },
  );
  const active = await running.promise;
  const waiting = active === a ? b : a;
  expect(messages[0]?.notes).toEqual([note("before")]);

  await say(active, "own");
  await say(waiting, "other");
  // At once, so that each changes the message which the others change.
  await Promise.all([say(null, "all"), ...["p", "q", "r"].map((id) => say(waiting, id))]);
  await expect.poll(() => signals).toEqual(["own", "all"]);
  // The planner, or its signal, may get lost: the audit signals again what the message of the task did not hold.
  signals.length = 0;
  await audit(ctx);
  await expect.poll(() => new Set(signals)).toEqual(new Set(["before", "own", "all"]));
  ended.resolve();
  await expect.poll(() => messages).toHaveLength(2);
  expect(messages[1]?.task.id).toBe(waiting);
  const ids = messages[1]?.notes?.map(({ id }) => id).toSorted();
  expect(ids).toEqual(["all", "before", "other", "p", "q", "r"]);
});
