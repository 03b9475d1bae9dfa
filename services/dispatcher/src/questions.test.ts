import { expect, test } from "vitest";
import { agentQuestionSchema, type Note, type PutQuestion, type QuestionAnswer } from "@agentswarm/contracts";
import { questionIdOf } from "@agentswarm/contracts/node";
import { openQuestions } from "./questions.ts";

const NEVER_MS = 600_000;

function open(waitMs: number) {
  const sent: [PutQuestion, number][] = [];
  const log: string[] = [];
  const questions = openQuestions({
    taskId: "task-1",
    round: 1,
    waitMs: () => waitMs,
    send: (question, nth) => void sent.push([question, nth]),
    hold() {
      log.push("held");
      return () => void log.push("let go");
    },
    onParked: () => void log.push("parked"),
  });
  const ask = (
    question: string,
    more: object = {},
    gone = new AbortController().signal,
  ): Promise<QuestionAnswer> => questions.ask(agentQuestionSchema.parse({ question, ...more }), gone);
  return { ...questions, ask, sent, log };
}
const noteOn = (ask: string, more: Partial<Note> = {}): Note => ({
  id: "n-1",
  by: "ada",
  via: "rest",
  at: 1,
  text: "ada answered: 80",
  mode: "steer",
  answers: questionIdOf("task-1", 1, ask),
  ...more,
});

test("a question is sent once, holds the idle time, and its answer is the note about it", async () => {
  const questions = open(NEVER_MS);
  const answer = questions.ask("Which port?", { options: ["80", "443"], default: "8080" });
  expect(questions.answer(noteOn("Another?"))).toBe(false);
  expect(questions.answer({ ...noteOn("Which port?"), answers: null })).toBe(false);
  expect(questions.log).toEqual(["held"]);
  expect(questions.answer(noteOn("Which port?"))).toBe(true);
  expect(await answer).toEqual({ kind: "answered", text: "ada answered: 80" });
  expect(questions.log).toEqual(["held", "let go"]);
  const options = ["80", "443", "8080"].map((label) => ({ id: label, label }));
  expect(questions.sent).toEqual([[{ ask: "Which port?", options, default: "8080" }, 1]]);
  expect([questions.parked(), questions.byDefault()]).toEqual([null, []]);
});

test("an answer that is repeated is known, and answers the same question again", async () => {
  const questions = open(NEVER_MS);
  const answer = questions.ask("Which port?");
  questions.answer(noteOn("Which port?"));
  await answer;
  expect(questions.answer(noteOn("Which port?"))).toBe(true);
  // It may ask the same once more.
  const again = questions.ask("Which port?");
  expect(questions.answer(noteOn("Which port?"))).toBe(true);
  expect(await again).toMatchObject({ kind: "answered" });
});

test("an answer that an attempt before got is the answer to the same question, and asks nobody", async () => {
  const questions = open(NEVER_MS);
  expect(questions.answer(noteOn("Which port?"))).toBe(false);
  expect(await questions.ask("Which port?")).toEqual({ kind: "answered", text: "ada answered: 80" });
  expect(questions.sent).toEqual([]);
});

test("without an answer in time the attempt is parked, and stays parked", async () => {
  const questions = open(1);
  expect(await questions.ask("Which port?")).toEqual({ kind: "parked" });
  expect(questions.log).toEqual(["held", "parked", "let go"]);
  expect(questions.parked()).toEqual({ ask: "Which port?", options: [], default: null });
  expect(await questions.ask("Another?")).toEqual({ kind: "parked" });
  expect(questions.sent).toHaveLength(1);
  // The planner keeps the answer for the next round.
  expect(questions.answer(noteOn("Which port?"))).toBe(false);
});

test("a default that holds is said as it will be in the landing", async () => {
  const questions = open(NEVER_MS);
  const answer = questions.ask("Which\nport?", { default: "80" });
  questions.answer(noteOn("Which\nport?", { by: "time-out", via: "system", text: "Nobody answered: 80" }));
  expect(await answer).toMatchObject({ kind: "answered" });
  expect(questions.byDefault()).toEqual(["Which port? – 80"]);
});

test("one question at a time, and three of an attempt", async () => {
  const questions = open(NEVER_MS);
  for (const question of ["1?", "2?", "3?"]) {
    const answer = questions.ask(question);
    expect(await questions.ask("at the same time?")).toMatchObject({ kind: "refused" });
    questions.answer(noteOn(question, { id: `n-${question}` }));
    expect(await answer).toMatchObject({ kind: "answered" });
  }
  expect(await questions.ask("4?")).toEqual({
    kind: "refused",
    why: expect.stringContaining("Decide by yourself") as string,
  });
  expect(questions.sent.map(([, nth]) => nth)).toEqual([1, 2, 3]);
});

test("an agent that does not wait any more is not parked", async () => {
  const questions = open(NEVER_MS);
  const gone = new AbortController();
  const answer = questions.ask("Which port?", {}, gone.signal);
  gone.abort();
  expect(await answer).toMatchObject({ kind: "refused" });
  expect([questions.parked(), questions.log]).toEqual([null, ["held", "let go"]]);
  // Its answer is for the inbox.
  expect(questions.answer(noteOn("Which port?"))).toBe(false);
});

test("keys and escape sequences do not reach people", async () => {
  const questions = open(1);
  await questions.ask("Use \u001b[31mghp_abcdefghijklmnopqrstuvwxyzABCDEF0123\u001b[0m?");
  expect(questions.sent[0]?.[0].ask).toBe("Use [redacted]?");
});
