import { beforeAll, expect, test } from "vitest";
import { attemptRef, Fault, jobId } from "@agentswarm/contracts";
import { consume, createSender, type JobContext, type QueueConnection } from "@agentswarm/queue";
import { makeHandoff } from "../../../test/support/make-handoff.ts";
import { bullQueue } from "../../../test/support/queue.ts";
import { openTestConnection } from "../../../test/support/test-connection.ts";
import { byKey, DEFAULTS, feature, planned } from "../testing/make-ledger.ts";
import { openContext } from "../testing/open-context.ts";
import { readWhole } from "../testing/read-whole.ts";
import { audit } from "./audit.ts";
import { step } from "./carry-out.ts";
import { handlePlan } from "./handle-plan.ts";
import { adoptPlan } from "./ledger/adopt-plan.ts";
import { TASK_CRASH_LIMIT } from "./ledger/decide-retry.ts";
import { newLedger, withRecord } from "./ledger/ledger.ts";
import { whyLost } from "./why-lost.ts";

let connection: QueueConnection;
beforeAll(async () => {
  connection = await openTestConnection();
  return () => connection[Symbol.asyncDispose]();
});

test("a task whose job is a dead letter shows its reason until it fails, and a person can send it again", async () => {
  await using open = openContext(connection);
  const { ctx } = open;
  const { id: featureId } = feature;
  await step(ctx, featureId, () => newLedger(feature, "one"));
  await step(ctx, featureId, (now) => now && adoptPlan(now, [planned("a"), planned("b")], DEFAULTS));
  const read = async () => {
    const ledger = await readWhole(connection, featureId);
    if (ledger === undefined) throw new Error("there is no ledger");
    return byKey(ledger, "a");
  };
  const { id } = (await read()).task;
  const stateOf = (round: number) => bullQueue(connection, "task").getJobState(jobId.task(id, round));
  const failRound = async (round: number) => {
    const refuse = async ({ task }: { task: { id: string } }, { signal }: JobContext) => {
      if (task.id === id) throw new Fault("message.invalid", "the task names no kind");
      // The other task is under way meanwhile, so that the feature waits for it.
      await new Promise((_, reject) => signal.addEventListener("abort", reject, { once: true }));
    };
    await using _consumer = await consume(connection, "task", refuse, {
      concurrency: 20,
      onError: () => undefined,
    });
    await expect.poll(() => stateOf(round), { timeout: 20_000 }).toBe("failed");
  };
  const reason = (round: number) =>
    `round ${round} is a dead letter (\`swarm jobs\`): message.invalid: the task names no kind`;

  await failRound(1);
  for (let nth = 0; nth < 2; nth += 1) await audit(ctx);
  expect(await read()).toMatchObject({ status: "sent", round: 2, crashes: 1, reason: reason(1) });
  expect(await stateOf(2)).toBe("prioritized");

  await step(ctx, featureId, (now) => now && withRecord(now, id, { crashes: TASK_CRASH_LIMIT - 1 }), [id]);
  await failRound(2);
  for (let nth = 0; nth < 2; nth += 1) await audit(ctx);
  expect(await read()).toMatchObject({ status: "failed", attemptsUsed: 0, reason: reason(2) });

  await handlePlan(ctx, { kind: "retry", taskId: id, by: "ada", via: "rest" }, "m-1");
  expect(await read()).toMatchObject({ status: "sent", round: 3, crashes: 0, reason: null });
  expect(await stateOf(3)).toBe("prioritized");
});

test("a round whose merge request is a dead letter says so, and names the command that sends it again", async () => {
  const sender = createSender(connection, "test");
  const commit = "c".repeat(40);
  const send = async (attempt: number, round: number) => {
    const about = { taskId: "t-1", featureId: feature.id, repoId: feature.repoId, attempt, title: "One" };
    const handoff = { ...makeHandoff({ taskId: "t-1", attempt, headCommit: commit }), round };
    const request = {
      ...about,
      ref: attemptRef("t-1", attempt),
      baseCommit: commit,
      headCommit: commit,
      handoff,
    };
    await sender.send("merge", request, { jobId: jobId.merge("t-1", attempt) });
  };
  await send(1, 1);
  await send(2, 2);
  {
    const refuse = async ({ attempt }: { attempt: number }) => {
      throw new Fault("message.invalid", `attempt ${attempt} is odd`);
    };
    await using _consumer = await consume(connection, "merge", refuse, {
      concurrency: 1,
      onError: () => undefined,
    });
    await expect.poll(() => bullQueue(connection, "merge").getFailedCount(), { timeout: 20_000 }).toBe(2);
  }
  const why = (round: number) => whyLost(connection, { taskId: "t-1", round }, "completed");
  expect(await why(1)).toBe(
    "the result of round 1 is a dead letter (`swarm jobs retry merge merge-t-1-1`): message.invalid: attempt 1 is odd",
  );
  expect(await why(2)).toContain("merge-t-1-2`): message.invalid: attempt 2 is odd");
  expect(await why(3)).toBe("round 3 ended (completed) without a handoff");
});
