import { expect, test } from "vitest";
import { answered, LOOKED_AT, makeDecision } from "../testing/make-decision.ts";
import { answerDecision } from "./answer-decision.ts";
import type { DecisionView } from "./project/views.ts";

const open: DecisionView = { ...makeDecision("d-1"), ledgerVersion: 1, refusals: [] };
const person = { by: "ada", via: "rest", role: "reviewer" } as const;
const approve = { person, head: LOOKED_AT, idempotencyKey: "k", option: "approve" } as const;

/** An api whose views show these decisions one after the other, the last one for good. */
function openApi(...shown: DecisionView[]) {
  const sent: unknown[] = [];
  return {
    sent,
    connection: { now: async () => open.askedAt },
    sender: { send: async (_queue: string, body: unknown) => void sent.push(body) },
    model: { decision: async () => (shown.length > 1 ? shown.shift() : shown[0]) ?? null },
  };
}

test("an answer of which nothing is known in time is no error: it is sent, and does not count yet", async () => {
  const api = openApi(open);
  const { counted, state } = await answerDecision(api, open, { ...approve, waitMs: 1 });
  expect([counted, state, api.sent.length]).toEqual([false, "open", 1]);
});

test("the outcome is waited for, also when another answer has decided and the planner's word is still on its way", async () => {
  const decided = { ...open, ...answered(open, "bob", "refuse", open.askedAt + 1) };
  const { answerId } = await answerDecision(openApi(open), open, { ...approve, waitMs: 1 });
  const refusal = {
    answerId,
    by: "ada",
    code: "decided-already",
    why: "bob answered `refuse` 0 s earlier",
  } as const;
  const api = openApi(open, decided, { ...decided, refusals: [refusal] });
  await expect(answerDecision(api, open, approve)).rejects.toMatchObject({
    status: 409,
    message: refusal.why,
  });
});

test("an answer that was given before under its key is not sent again", async () => {
  const { answerId } = await answerDecision(openApi(open), open, { ...approve, waitMs: 1 });
  const decided = { ...open, ...answered(open, "ada", "approve", open.askedAt + 1) };
  const known = { ...decided, answers: decided.answers.map((one) => ({ ...one, id: answerId })) };
  const api = openApi(known);
  expect(await answerDecision(api, known, approve)).toMatchObject({ counted: true, answerId });
  expect(api.sent).toEqual([]);
});
