import { expect, test } from "vitest";
import { decisionSchema, type Decision } from "@agentswarm/contracts";
import { formatAnswered, formatDecision, formatInbox, formatOpenDecisions } from "./format-decision.ts";

const NOW = Date.parse("2026-11-21T12:00:00Z");
const HEAD = "a".repeat(40);

function decision(more: Partial<Decision> = {}): Decision {
  return decisionSchema.parse({
    id: "d-1",
    kind: "landing",
    repoId: "main",
    featureId: "feature-1",
    taskId: "task-1",
    attempt: 2,
    head: HEAD,
    ask: "May it land?\u001b]52;c;x\u0007\nIt changes package.json.",
    options: [
      { id: "approve", label: "It lands" },
      { id: "refuse", label: "It does not" },
    ],
    default: null,
    askedAt: NOW,
    dueAt: NOW + 3 * 3_600_000,
    onTimeout: "hold",
    needs: { role: "reviewer", count: 1, notBy: ["ada"] },
    state: "open",
    outcome: null,
    endedAt: null,
    endReason: null,
    ...more,
  });
}

test("the inbox names each decision with its time, its question and the command that answers it", () => {
  const question = decision({ id: "d-2", kind: "question", options: [], dueAt: NOW - 90_000, taskId: null });
  expect(formatInbox([decision(), question], NOW).split("\n")).toEqual([
    "d-1  landing   due in 3 h  task-1",
    "    May it land? … It changes package.json.",
    '    swarm decide d-1 approve|refuse [--text "…"]',
    "d-2  question  overdue by 2 min  feature-1",
    "    May it land? … It changes package.json.",
    '    swarm decide d-2 --text "…"',
  ]);
  expect(formatInbox([], NOW)).toBe("no open decisions");
});

test("a decision is shown with its whole question, its head, who may answer, and how to look at it", () => {
  expect(formatDecision(decision(), NOW).split("\n")).toEqual([
    "open  d-1  landing  task task-1, attempt 2, of feature-1",
    "  May it land?",
    "  It changes package.json.",
    "  approve: It lands",
    "  refuse: It does not",
    "  due in 3 h; needs a reviewer, but not ada",
    `  head ${HEAD}`,
    "  look at it: swarm diff task-1 --attempt 2",
    '  then: swarm decide d-1 approve|refuse [--text "…"]',
  ]);
});

test("an ended decision is shown with who answered what", () => {
  const answer = {
    id: "a-1",
    by: "bob",
    via: "cli",
    role: "reviewer",
    option: "refuse",
    text: "",
    head: HEAD,
    at: NOW,
  } as const;
  const ended = { state: "answered", outcome: { option: "refuse", text: "Not so" }, endedAt: NOW } as const;
  const shown = formatDecision(decision({ ...ended, answers: [answer] }), NOW).split("\n");
  expect(shown[0]).toMatch(/^answered /);
  expect(shown.slice(-2)).toEqual(["  bob answered refuse", "  decided: refuse: Not so"]);
});

test("an answer is shown as decided, as one of several, or as not known yet", () => {
  const outcome = { option: "approve", text: "" };
  const answered = { ...decision({ state: "answered", outcome }), answerId: "a-1", counted: true };
  expect(formatAnswered(answered)).toBe(`decided: approve  d-1 at ${HEAD}`);
  const needs = { role: "reviewer", count: 2, notBy: [] } as const;
  const [answer] = [
    { id: "a-1", by: "bob", via: "cli", role: "admin", option: "approve", text: "", head: HEAD, at: NOW },
  ] as const;
  const first = {
    ...decision({ needs: { ...needs, notBy: [] }, answers: [answer] }),
    answerId: "a-1",
    counted: true,
  };
  expect(formatAnswered(first)).toBe(`answer 1 of 2  d-1 at ${HEAD}`);
  expect(formatAnswered({ ...answered, counted: false })).toContain("swarm decide d-1");
});

test("the status names open decisions by kind, and says nothing without one", () => {
  const open = { open: 3, byKind: { landing: 2, question: 1 }, overdue: 1, oldestAskedAt: NOW };
  expect(formatOpenDecisions(open)).toEqual([
    "? 3 decisions wait for a person (2 landing, 1 question, 1 overdue): swarm inbox",
  ]);
  expect(formatOpenDecisions({ open: 0, byKind: {}, overdue: 0, oldestAskedAt: null })).toEqual([]);
});
