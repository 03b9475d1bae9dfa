import { expect, test } from "vitest";
import { Fault } from "@agentswarm/contracts";
import { refusal, startModel, type Answer } from "../../../test/support/scripted-model.ts";
import {
  createModel,
  createRouter,
  NO_USAGE,
  paidFrom,
  resolveBackends,
  type Budget,
  type Usage,
} from "./index.ts";

/** Asks once, from a budget that notes what happens to it, over the wire. */
async function ask(answer: Answer, why: string | null = null) {
  await using server = await startModel(() => answer);
  const notes: unknown[] = [];
  const budget: Budget = {
    reserve(estimate) {
      notes.push({ estimate });
      if (why !== null) return Promise.resolve({ kind: "exhausted", level: "swarm", why });
      return Promise.resolve({ kind: "granted", settle: async (usage: Usage) => void notes.push({ usage }) });
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
    .catch((error: unknown) => Fault.from(error));
  return { said, notes, told, asked: server.asked.length };
}

/** The prompt's thousand tokens and the two hundred of the longest answer, at glm-5's prices. */
const ESTIMATE = { tokens: 1_200, costUsd: (1_000 * 1 + 200 * 3.2) / 1_000_000 };
const USAGE = { tokensIn: 100, tokensOut: 10, costUsd: 0.000_132 };

test("a call sets aside its prompt and its longest answer, and settles what it was told", async () => {
  const { said, notes, told } = await ask("hi");
  expect(said).toMatchObject({ text: "hi" });
  expect(notes).toMatchObject([{ estimate: ESTIMATE }, { usage: USAGE }]);
  expect(told).toMatchObject([USAGE]);
});

test("a call that fails gives all of it back", async () => {
  const { said, notes, told } = await ask(refusal(500));
  expect(said).toMatchObject({ code: "model.unavailable" });
  expect(notes).toMatchObject([{ estimate: ESTIMATE }, { usage: NO_USAGE }]);
  expect(told).toEqual([]);
});

test("a used-up budget is a fault that passes when it is raised, and the model is not asked", async () => {
  const { said, asked } = await ask("hi", "BUDGET_USD=5 is used up (5.02)");
  expect(said).toMatchObject({
    code: "budget.reached",
    retryable: true,
    message: "BUDGET_USD=5 is used up (5.02)",
  });
  expect(asked).toBe(0);
});
