import { afterAll, beforeAll, expect, test } from "vitest";
import type { TaskMessage } from "@agentswarm/contracts";
import { questionIdOf } from "@agentswarm/contracts/node";
import { consume, type QueueConnection } from "@agentswarm/queue";
import { openTestConnection } from "../../../test/support/test-connection.ts";
import { byKey, commit, DEFAULTS, feature, handoffOf, planned } from "../testing/make-ledger.ts";
import { openContext } from "../testing/open-context.ts";
import { readWhole } from "../testing/read-whole.ts";
import { audit } from "./audit.ts";
import { step } from "./carry-out.ts";
import { handlePlan } from "./handle-plan.ts";
import { adoptPlan } from "./ledger/adopt-plan.ts";
import { newLedger } from "./ledger/ledger.ts";

const WITHIN = { timeout: 20_000 };

let connection: QueueConnection;
beforeAll(async () => {
  connection = await openTestConnection();
});
afterAll(async () => {
  await connection[Symbol.asyncDispose]();
});

test("an answer reaches the agent that waits by a signal, which the audit repeats, and a parked task by its next round", async () => {
  await using open = openContext(connection);
  const { ctx } = open;
  const featureId = feature.id;
  await step(ctx, featureId, () => newLedger(feature, "one"));
  await step(ctx, featureId, (now) => now && adoptPlan(now, [planned("a")], DEFAULTS));
  const record = async () => {
    const ledger = await readWhole(connection, featureId);
    if (ledger === undefined) throw new Error("there is no ledger");
    return byKey(ledger, "a");
  };
  const taskId = (await record()).task.id;
  const question = { featureId, taskId, attempt: 1, round: 1, default: null } as const;
  const put = (ask: string, nth: number) =>
    handlePlan(ctx, { kind: "question", ...question, options: [], nth, ask }, `question-${nth}`);
  const answer = (ask: string, text: string) => {
    const decisionId = questionIdOf(taskId, 1, ask);
    const given = {
      id: `a-${text}`,
      by: "ada",
      via: "cli",
      role: "reviewer",
      option: null,
      text,
      head: null,
    } as const;
    return handlePlan(ctx, { kind: "answer", featureId, decisionId, answer: given }, `answer-${text}`);
  };

  const running = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  const messages: TaskMessage[] = [];
  const signals: string[] = [];
  await using _dispatcher = await consume(
    connection,
    "task",
    async (message, job) => {
      messages.push(message);
      job.onSignal(({ notes }) => signals.push(...notes.map(({ text }) => text)));
      running.resolve();
      await ended.promise;
    },
    { concurrency: 1 },
  );
  // Also when the test fails: the consumer waits for its handler.
  using _end = { [Symbol.dispose]: () => ended.resolve() };
  await running.promise;
  await put("Which port?", 1);
  await answer("Which port?", "443");
  const text = "Your question: Which port?\n\nada answered: 443";
  await expect.poll(() => signals, WITHIN).toEqual([text]);
  await audit(ctx);
  await expect.poll(() => signals, WITHIN).toEqual([text, text]);

  await put("Which colour?", 2);
  const waitsFor = { baseCommit: commit, question: { ask: "Which colour?", options: [], default: null } };
  const handoff = handoffOf(await record(), 1, { end: "parked", outcome: "blocked", waitsFor });
  await handlePlan(ctx, { kind: "handoff", featureId, handoff, outcome: null }, "handoff");
  expect(await record()).toMatchObject({ status: "held", reason: "waits for an answer: Which colour?" });
  ended.resolve();
  await answer("Which colour?", "red");
  await expect.poll(() => messages, WITHIN).toHaveLength(2);
  expect(messages[1]).toMatchObject({
    round: 2,
    upon: { attempt: 1, baseCommit: commit, headCommit: commit },
    answers: [
      { question: "Which port?", answer: "443", by: "ada" },
      { question: "Which colour?", answer: "red", by: "ada" },
    ],
  });
});
