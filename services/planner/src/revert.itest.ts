import { jobId, NO_METRICS, NO_NOTES, type MergeOutcome, type PlanMessage } from "@agentswarm/contracts";
import { jobBody, openQueue, pendingJobIds, type QueueConnection } from "@agentswarm/queue";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startRedis, type TestRedis } from "../../../test/support/redis.ts";
import { building, byKey, planned } from "../testing/make-ledger.ts";
import { openContext, type OpenContext } from "../testing/open-context.ts";
import { readWhole } from "../testing/read-whole.ts";
import { step } from "./carry-out.ts";
import { handlePlan } from "./handle-plan.ts";
import type { Ledger } from "./ledger/ledger.ts";

const commitOf = (digit: string) => digit.repeat(40);
const ledger = building([planned("a"), planned("b")]);
const featureId = ledger.feature.id;
const [a, b] = ["a", "b"].map((key) => byKey(ledger, key).task.id) as [string, string];
/** The trunk, the newest landing first; of another feature, too. */
const LANDINGS = [
  { taskId: b, commit: commitOf("b"), featureId },
  { taskId: "other", commit: commitOf("c"), featureId: "feature-2" },
  { taskId: a, commit: commitOf("a"), featureId },
].map((one) => ({ ...one, tree: commitOf("d"), title: one.taskId, attempt: 1 }));

let redis: TestRedis;
let connection: QueueConnection;
let opened: OpenContext;

beforeAll(async () => {
  redis = await startRedis();
  connection = await openQueue({ redisUrl: redis.url, prefix: redis.prefix, service: "planner" });
  opened = openContext(connection, {
    fetch: async () => undefined,
    head: async () => commitOf("b"),
    landings: async () => LANDINGS,
    green: async () => null,
    hasAll: async () => false,
    trunk: "main",
  });
});
afterAll(async () => {
  await opened[Symbol.asyncDispose]();
  await connection[Symbol.asyncDispose]();
  await redis.stop();
});

const send = (message: PlanMessage) => handlePlan(opened.ctx, message, "message");
const landed = (taskId: string, commit: string) => {
  const outcome: MergeOutcome = { kind: "landed", commit, tree: commitOf("d"), group: 1 };
  const handoff = {
    taskId,
    attempt: 1,
    round: 1,
    outcome: "complete",
    end: "submitted",
    summary: "",
    ...NO_NOTES,
    metrics: NO_METRICS,
    headCommit: commit,
    model: "none",
  } as const;
  return send({ kind: "handoff", featureId, handoff, outcome });
};
const now = async (): Promise<Ledger> => {
  const found = await readWhole(connection, featureId);
  if (found === undefined) throw new Error("no ledger");
  return found;
};

test("a revert takes back the feature's landings in the trunk's order, once however often its message comes", async () => {
  await step(opened.ctx, featureId, () => ledger);
  await landed(a, commitOf("a"));
  await landed(b, commitOf("b"));
  const revert = { kind: "revert", featureId, why: "it broke", by: "ada", via: "cli" } as const;
  for (let times = 0; times < 3; times += 1) await send(revert);
  const { task } = byKey(await now(), "revert-2-landings");
  expect(task.revert).toEqual({ commits: [commitOf("b"), commitOf("a")], by: "ada" });
  const reverts = (await pendingJobIds(connection, "task")).filter((id) => id.includes("revert"));
  expect(reverts).toEqual([jobId.task(task.id, 1)]);
  expect(await jobBody(connection, "task", jobId.task(task.id, 1))).toMatchObject({
    task: { kind: "revert" },
  });

  for (let times = 0; times < 2; times += 1) await landed(task.id, commitOf("e"));
  await send(revert);
  expect(await now()).toMatchObject({ status: "cancelled", reason: "reverted by ada: it broke" });
  expect((await now()).tasks).toHaveLength(3);
});
