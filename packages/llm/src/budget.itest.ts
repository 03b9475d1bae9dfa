import { expect, test } from "vitest";
import { asFault, type BudgetHandle, type CallUsage } from "@agentswarm/contracts";
import { refusal, startModel, type Answer } from "../../../test/support/scripted-model.ts";
import { createModel, createRouter, NO_USAGE, paidFrom, resolveBackends, type Usage } from "./index.ts";

/** Makes one call over HTTP with a budget that records its reservations. */
async function ask(answer: Answer, why: string | null = null) {
  await using server = await startModel(() => answer);
  const notes: unknown[] = [];
  const budget: BudgetHandle = {
    reserve(estimate) {
      notes.push({ estimate });
      if (why !== null) return Promise.resolve({ kind: "exhausted", level: "swarm", why });
      return Promise.resolve({
        kind: "granted",
        commitReservation: async (usage: CallUsage) => void notes.push({ usage }),
      });
    },
  };
  const router = createRouter(resolveBackends({ LLM_BASE_URL: server.url, LLM_MODEL: "glm-5" }, {}));
  const told: Usage[] = [];
  const model = paidFrom(budget, createModel(router, { maxTokens: 200, temperature: 0 }), {
    maxTokens: 200,
    onUse: async (usage) => void told.push(usage),
  });
  const said = await model
    .complete({ role: "plan", schema: {}, messages: [{ role: "user", content: "x".repeat(4_000) }] })
    .catch((error: unknown) => asFault(error));
  return { said, notes, told, asked: server.asked.length };
}

/** 1,000 prompt tokens and the 200 of the longest answer, at the prices of glm-5. */
const ESTIMATE = { tokens: 1_200, costUsd: (1_000 * 1 + 200 * 3.2) / 1_000_000 };
const USAGE = { tokensIn: 100, tokensOut: 10, costUsd: 0.000_132 };

test("a call reserves its prompt and its longest answer and commits the reported usage", async () => {
  const { said, notes, told } = await ask("hi");
  expect(said).toMatchObject({ text: "hi" });
  expect(notes).toMatchObject([{ estimate: ESTIMATE }, { usage: USAGE }]);
  expect(told).toMatchObject([USAGE]);
});

test("a failed call commits no usage", async () => {
  const { said, notes, told } = await ask(refusal(500));
  expect(said).toMatchObject({ code: "model.unavailable" });
  expect(notes).toMatchObject([{ estimate: ESTIMATE }, { usage: NO_USAGE }]);
  expect(told).toEqual([]);
});

test("a used-up budget is a retryable fault and the model is not called", async () => {
  const { said, asked } = await ask("hi", "BUDGET_USD=5 is used up (5.02)");
  expect(said).toMatchObject({
    code: "budget.reached",
    retryable: true,
    message: "BUDGET_USD=5 is used up (5.02)",
  });
  expect(asked).toBe(0);
});
