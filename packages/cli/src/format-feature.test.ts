import { expect, test } from "vitest";
import type { FeatureDetail, ShownAction, TaskSummary } from "@agentswarm/contracts";
import { formatFeature } from "./format-feature.ts";

const task = { id: "t-1", title: "Parse", status: "failed", reason: null, heldCommit: null, waiting: null };
const show = (change: object, tasks: object[] = []) =>
  formatFeature({
    id: "feature-1",
    title: "One",
    status: "building",
    reason: null,
    waiting: null,
    actions: [] as ShownAction[],
    decisions: [],
    ...change,
    tasks: tasks.map((one) => ({ ...task, ...one }) as TaskSummary),
  } as unknown as FeatureDetail);
const waiting = { reason: "the model refuses calls: correct LLM_API_KEY", source: "operator", since: 1 };

test("a failed check is shown with its command and the end of its output", () => {
  const reason = "The check npm test failed on the merged tree:\nok 1\nok 2\nnot ok 3";
  expect(show({}, [{ reason }])).toBe(
    [
      "building  feature-1  One",
      "  failed     t-1  Parse",
      "             The check npm test failed on the merged tree:",
      "             | ok 1",
      "             | ok 2",
      "             | not ok 3",
    ].join("\n"),
  );
});

test("a held task says how to look at it and how to decide", () => {
  const held = { status: "held", reason: "it changes package.json", heldCommit: "0123456789abcdef" };
  expect(show({}, [held]).split("\n").slice(2)).toEqual([
    "             it changes package.json",
    "             look at it: swarm diff t-1",
    '             then: swarm approve t-1 --head 0123456789ab   (or --refuse --reason "…")',
  ]);
});

test("what people are asked about a feature is shown with the command that answers it", () => {
  const plan = { id: "d-1", kind: "plan", ask: "The plan has 2 tasks.", taskId: null };
  expect(
    show({ decisions: [plan] })
      .split("\n")
      .slice(1),
  ).toEqual(["  ? plan: The plan has 2 tasks.", "    swarm decide d-1"]);
  // The task says it already.
  const landing = { id: "d-2", kind: "landing", ask: "May it land?", taskId: "t-1" };
  const held = { status: "held", heldCommit: "0123456789abcdef" };
  expect(show({ decisions: [landing] }, [held])).not.toContain("d-2");
});

test("what waits is said once: with the feature, or with its task", () => {
  expect(show({ status: "planning", waiting })).toContain(`\n  waiting: ${waiting.reason}`);
  const lines = show({ waiting }, [{ status: "sent", waiting }]).split("\n");
  expect(lines.filter((line) => line.includes(waiting.reason))).toEqual([
    `             waiting: ${waiting.reason}`,
  ]);
  expect(show({ status: "failed", reason: "no idea" })).toContain("\n  no idea");
});

test("a feature says who submitted it, and who did what to it and its tasks, by which way", () => {
  const action = { at: 0, by: "bob", via: "rest", taskId: null, why: "" };
  const actions = [
    { ...action, action: "cancel-task", taskId: "t-1", why: "not\nneeded" },
    { ...action, action: "budget", by: "ada", via: "cli", why: "at most 5 US dollars" },
    { ...action, action: "retry", at: 1_000 },
  ];
  expect(show({ by: "ada", source: "cli", actions }).split("\n").slice(1)).toEqual([
    "  submitted by ada (cli)",
    "  1970-01-01T00:00:00.000Z bob (rest) cancelled the task t-1: not needed",
    "  1970-01-01T00:00:00.000Z ada (cli) changed its budget: at most 5 US dollars",
    "  1970-01-01T00:00:01.000Z bob (rest) retried it",
  ]);
});
