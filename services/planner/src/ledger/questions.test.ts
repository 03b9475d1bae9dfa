import { expect, test } from "vitest";
import { QUESTION_LIMITS, type Decision, type Handoff } from "@agentswarm/contracts";
import { questionIdOf } from "@agentswarm/contracts/node";
import {
  absorb,
  apply,
  applyAt,
  building,
  byKey,
  commit,
  handoffOf,
  planned,
} from "../../testing/make-ledger.ts";
import { cancelTask } from "./cancel-task.ts";
import { answerDecision } from "./decisions/answer-decision.ts";
import { remindOrEnd } from "./decisions/remind-or-end.ts";
import type { Effect } from "./effect.ts";
import type { Ledger } from "./ledger.ts";
import { notesSince } from "./notes.ts";
import { absorbQuestion, answersFor } from "./questions.ts";
import { taskRecordSchema } from "./task-record.ts";

const ASK = "Which port?";
const OPTIONS = [
  { id: "option-1", label: "80" },
  { id: "option-2", label: "443" },
];
const base = "b".repeat(40);

interface Asked {
  readonly ask?: string;
  readonly attempt?: number;
  readonly nth?: number;
  readonly default?: string | null;
}
const question = (ask = ASK, fallback: string | null = "option-1") => ({
  ask,
  options: OPTIONS,
  default: fallback,
});

function ask(ledger: Ledger, key: string, asked: Asked = {}, at = 1_000): Ledger {
  const { task, round } = byKey(ledger, key);
  const { attempt = 1, nth = 1 } = asked;
  const ids = { kind: "question", featureId: "feature-1", taskId: task.id, attempt, round, nth } as const;
  const what = question(asked.ask, asked.default);
  return applyAt(ledger, at, (now, facts) => absorbQuestion(now, { ...ids, ...what }, facts));
}
function park(ledger: Ledger, key: string, attempt = 1, change: Partial<Handoff> = {}): Ledger {
  const waitsFor = { baseCommit: base, question: question() };
  const parked = { end: "parked", outcome: "blocked", waitsFor, ...change } as const;
  return absorb(ledger, handoffOf(byKey(ledger, key), attempt, parked), null);
}
const openOf = (ledger: Ledger, key: string): Decision | undefined =>
  byKey(ledger, key).decisions.find(({ state }) => state === "open");
function answer(
  ledger: Ledger,
  key: string,
  option: string | null = "option-2",
  text = "",
  at = 2_000,
): Ledger {
  const decisionId = openOf(ledger, key)?.id ?? "none";
  const given = { id: `a-${at}`, by: "ada", via: "cli", role: "reviewer", option, text, head: null } as const;
  return applyAt(ledger, at, (now, facts) =>
    answerDecision(now, { decisionId, taskId: byKey(now, key).task.id }, given, facts),
  );
}
const timeOut = (ledger: Ledger, key: string) =>
  applyAt(ledger, 1_000_000, (now, facts) =>
    remindOrEnd(remindOrEnd(now, of(now, key), facts), of(now, key), facts),
  );
const of = (ledger: Ledger, key: string) => ({
  decisionId: openOf(ledger, key)?.id ?? "none",
  taskId: byKey(ledger, key).task.id,
});
const ofKind = (kind: Effect["kind"], before: Ledger, after: Ledger): Effect[] =>
  after.pending.slice(before.pending.length).filter((effect) => effect.kind === kind);

const start = () => building([planned("a")]);

test("a question of a running agent is a decision, asked once however often it is delivered", () => {
  const ledger = ask(start(), "a");
  const { task } = byKey(ledger, "a");
  expect(openOf(ledger, "a")).toMatchObject({
    id: questionIdOf(task.id, 1, ASK),
    kind: "question",
    attempt: 1,
    ask: ASK,
    options: OPTIONS,
    default: "option-1",
    onTimeout: "default",
    dueAt: 5_000,
    needs: { role: "reviewer" },
  });
  expect(byKey(ledger, "a").status).toBe("sent");
  expect(ask(ledger, "a")).toBe(ledger);
  // The dispatcher was restarted: the attempt in its place asks the same.
  expect(ask(ledger, "a", { attempt: 2 })).toBe(ledger);
  expect(ledger.questions).toBe(1);
});

test("an answer in time is a signal to the agent that waits, and part of later rounds", () => {
  const asked = ask(start(), "a");
  const { task } = byKey(asked, "a");
  const id = questionIdOf(task.id, 1, ASK);
  const answered = answer(asked, "a");
  const note = {
    id: `answer-${id}`,
    by: "ada",
    via: "system",
    at: 2_000,
    text: "Your question: Which port?\n\nada answered: 443",
    mode: "steer",
    answers: id,
  };
  // The audit repeats it, for the attempt may be lost.
  expect(notesSince(answered, byKey(answered, "a"))).toEqual([note]);
  expect(ofKind("signal", asked, answered)).toEqual([
    { kind: "signal", taskId: task.id, noteIds: [note.id] },
  ]);
  expect(ofKind("send", asked, answered)).toEqual([]);
  // An attempt that asks the same once more asks nobody.
  expect(ask(answered, "a", { attempt: 2 })).toBe(answered);
  const again = absorb(answered, handoffOf(byKey(answered, "a"), 1, { end: "lost", headCommit: null }), null);
  expect(byKey(again, "a")).toMatchObject({
    status: "sent",
    round: 2,
    answers: [{ decisionId: id, question: ASK, answer: "443", by: "ada" }],
  });
  expect(notesSince(again, byKey(again, "a"))).toEqual([]);
});

test("a parked task is held with its work and its question, and counts as no attempt", () => {
  const asked = ask(start(), "a");
  const parked = park(asked, "a");
  expect(byKey(parked, "a")).toMatchObject({
    status: "held",
    reason: `waits for an answer: ${ASK}`,
    attemptsUsed: 0,
    crashes: 0,
    parked: { attempt: 1, baseCommit: base, headCommit: commit },
  });
  expect(openOf(parked, "a")?.id).toBe(openOf(asked, "a")?.id);
  expect(taskRecordSchema.parse(byKey(parked, "a"))).toEqual(byKey(parked, "a"));
});

test("a question whose message got lost is asked by the handoff of its parked attempt, and asked once", () => {
  const parked = park(start(), "a");
  expect(openOf(parked, "a")).toMatchObject({ kind: "question", ask: ASK, options: OPTIONS });
  expect(ask(parked, "a")).toBe(parked);
});

test("the answer opens the next round upon the parked work", () => {
  const parked = park(ask(start(), "a"), "a");
  const answered = answer(parked, "a", null, "use 8443");
  expect(byKey(answered, "a")).toMatchObject({
    status: "sent",
    round: 2,
    reason: null,
    attemptsUsed: 0,
    parked: { attempt: 1, baseCommit: base, headCommit: commit },
    answers: [{ question: ASK, answer: "use 8443", by: "ada" }],
  });
  expect(answered.status).toBe("building");
  expect(ofKind("send", parked, answered)).toEqual([
    { kind: "send", taskId: byKey(parked, "a").task.id, round: 2 },
  ]);
});

test("an answer that comes while the attempt is being parked opens the next round at once", () => {
  const answered = answer(ask(start(), "a"), "a");
  const parked = park(answered, "a");
  expect(byKey(parked, "a")).toMatchObject({ status: "sent", round: 2, parked: { attempt: 1 } });
  expect(openOf(parked, "a")).toBeUndefined();
});

test("without an answer in its time the default opens the next round", () => {
  const parked = park(ask(start(), "a"), "a");
  const over = timeOut(parked, "a");
  expect(byKey(over, "a")).toMatchObject({
    status: "sent",
    round: 2,
    decisions: [{ state: "timed-out", outcome: { option: "option-1" } }],
    answers: [{ question: ASK, answer: "80", by: null }],
  });
});

test("a question without a default stays open", () => {
  const without = { waitsFor: { baseCommit: base, question: question(ASK, null) } };
  const over = timeOut(park(ask(start(), "a", { default: null }), "a", 1, without), "a");
  expect(byKey(over, "a").status).toBe("held");
  expect(openOf(over, "a")).toMatchObject({ state: "open", onTimeout: "hold" });
  expect(byKey(answer(over, "a"), "a")).toMatchObject({ status: "sent", round: 2 });
});

test("a blocked attempt is a question with its work kept, never a retry", () => {
  const summary = "The API key is missing.";
  const waitsFor = { baseCommit: base, question: null };
  const blocked = park(start(), "a", 1, { end: "submitted", summary, waitsFor });
  expect(byKey(blocked, "a")).toMatchObject({
    status: "held",
    attemptsUsed: 0,
    parked: { headCommit: commit },
  });
  expect(openOf(blocked, "a")).toMatchObject({
    kind: "question",
    ask: "The agent cannot go on: The API key is missing.",
    options: [],
    default: null,
    onTimeout: "hold",
  });
  const answered = answer(blocked, "a", null, "It is in .env now.");
  expect(byKey(answered, "a")).toMatchObject({ status: "sent", round: 2, attemptsUsed: 0 });
  // Blocked by the same once more: people are asked once more.
  const again = park(answered, "a", 2, { end: "submitted", summary, waitsFor });
  expect(byKey(again, "a").status).toBe("held");
  expect(openOf(again, "a")?.id).not.toBe(openOf(blocked, "a")?.id);
});

test("parked work survives a crash of the next attempt, and a failed attempt begins anew", () => {
  const second = answer(park(ask(start(), "a"), "a"), "a");
  const end = (what: Handoff["end"]) =>
    absorb(
      second,
      handoffOf(byKey(second, "a"), 2, { end: what, outcome: "failed", headCommit: null }),
      null,
    );
  expect(byKey(end("lost"), "a")).toMatchObject({ round: 3, parked: { attempt: 1 } });
  expect(byKey(end("failed"), "a")).toMatchObject({ round: 3, parked: null, answers: [{ by: "ada" }] });
});

test("a cancelled task withdraws its question, and a late answer is refused", () => {
  const parked = park(ask(start(), "a"), "a");
  const { decisionId, taskId } = of(parked, "a");
  const cancelled = apply(parked, (now) => cancelTask(now, taskId, "ada", ""));
  expect(byKey(cancelled, "a").decisions).toMatchObject([{ state: "withdrawn" }]);
  const given = {
    id: "a-1",
    by: "ada",
    via: "cli",
    role: "admin",
    option: "option-1",
    text: "",
    head: null,
  } as const;
  const late = apply(cancelled, (now, facts) => answerDecision(now, { decisionId, taskId }, given, facts));
  expect(byKey(late, "a").status).toBe("cancelled");
});

test("after ten questions of a feature people are asked about its plan, and agents decide by themselves", () => {
  let ledger = start();
  for (let nth = 1; nth <= QUESTION_LIMITS.perFeature; nth += 1)
    ledger = answer(ask(ledger, "a", { ask: `${nth}?` }), "a", "option-1", "", 2_000 + nth);
  expect([ledger.questions, ledger.decisions]).toEqual([10, []]);
  const over = ask(ledger, "a", { ask: "11?" }, 9_000);
  expect(over.decisions).toMatchObject([
    { kind: "review", state: "open", options: [{ id: "continue" }, { id: "replan" }, { id: "cancel" }] },
  ]);
  expect(openOf(over, "a")).toBeUndefined();
  expect(notesSince(over, byKey(over, "a")).at(-1)?.text).toContain("swarm answered: Nobody is asked");
  expect(ask(over, "a", { ask: "12?" }).decisions).toHaveLength(1);
  // A blocked task needs a person all the same.
  expect(openOf(park(over, "a", 1, { end: "submitted" }), "a")).toBeDefined();

  const [review] = over.decisions;
  const decide = (option: string) =>
    apply(over, (now, facts) =>
      answerDecision(
        now,
        { decisionId: review?.id ?? "", taskId: null },
        { id: "a-1", by: "ada", via: "rest", role: "operator", option, text: "", head: null },
        facts,
      ),
    );
  expect(openOf(ask(decide("continue"), "a", { ask: "13?" }), "a")).toBeDefined();
  expect(decide("replan").status).toBe("planning");
  expect(decide("cancel").status).toBe("cancelled");
});

test("a hundred parked tasks hold no job, and each goes on by its own answer", () => {
  const keys = Array.from({ length: 100 }, (_, nth) => `t${nth}`);
  let ledger = building(keys.map((key) => planned(key)));
  for (const key of keys) ledger = park(ledger, key);
  expect(new Set(ledger.tasks.map(({ status }) => status))).toEqual(new Set(["held"]));
  expect(new Set(keys.map((key) => openOf(ledger, key)?.id)).size).toBe(100);
  const one = answer(ledger, "t42");
  expect(one.tasks.filter(({ status }) => status === "sent").map(({ task }) => task.key)).toEqual(["t42"]);
});

test("what a person answered one task is known to the others; what a time-out took is not", () => {
  const two = building([planned("a"), planned("b")]);
  const answered = answer(ask(two, "a"), "a");
  const known = [{ question: ASK, answer: "443", by: "ada" }];
  expect(answersFor(answered, byKey(answered, "b"))).toMatchObject(known);
  expect(answersFor(answered, byKey(answered, "a"))).toMatchObject(known);
  const late = timeOut(ask(two, "a"), "a");
  expect(answersFor(late, byKey(late, "b"))).toEqual([]);
  expect(answersFor(late, byKey(late, "a"))).toHaveLength(1);
});
