import { expect, test } from "vitest";
import { answered, decisionEvent, makeDecision, refusedEvent } from "../../testing/make-decision.ts";
import { projectBatch, type IndexChange, type LoadedViews } from "./project-batch.ts";
import { projectDecision } from "./project-decision.ts";

const asked = makeDecision("d-1");
const reminded = { ...asked, reminded: 1 };
const ended = answered(reminded, "ada", "approve", asked.askedAt + 5_000);
const EVENTS = [
  decisionEvent("decision.asked", asked, 3),
  decisionEvent("decision.reminded", reminded, 4),
  decisionEvent("decision.answered", ended, 5),
];

test("a decision's view is the newest that was said of it, in whatever order its events come and how often", () => {
  for (const order of [
    [0, 1, 2],
    [2, 1, 0],
    [1, 2, 0, 1, 2],
  ]) {
    const view = order.reduce<ReturnType<typeof projectDecision>>(
      (seen, nth) => projectDecision(seen, EVENTS[nth] ?? EVENTS[0]!),
      null,
    );
    expect(view).toEqual({ ...ended, ledgerVersion: 5, refusals: [] });
  }
});

test("refused answers stay with the decision while it changes, the newest 200 of them, each once", () => {
  const refuse = (nth: number) =>
    refusedEvent(asked, {
      answerId: `answer-${nth}`,
      by: "bob",
      code: "decided-already",
      why: "ada was faster",
    });
  let view = projectDecision(null, EVENTS[0]!);
  for (let nth = 0; nth < 250; nth += 1) view = projectDecision(view, refuse(nth));
  view = projectDecision(projectDecision(view, refuse(249)), EVENTS[2]!);
  expect(view?.refusals.map(({ answerId }) => answerId)).toEqual(
    Array.from({ length: 200 }, (_, nth) => `answer-${nth + 50}`),
  );
  expect(projectDecision(null, refuse(1))).toBeNull();
});

test("a decision enters the indexes when it is asked, and its place changes with its state, its end, and nothing else", () => {
  const empty = () => new Map();
  const loaded = {
    features: empty(),
    tasks: empty(),
    decisions: empty(),
    repos: empty(),
    swarm: empty(),
    early: empty(),
  };
  const views = loaded as unknown as LoadedViews;
  const places: IndexChange[] = [];
  for (const event of EVENTS) {
    const { documents, indexes } = projectBatch(views, [event], (error) => {
      throw error;
    });
    for (const { kind, id, version, value } of documents)
      (views[kind] as Map<string, unknown>).set(id, { value, version: version + 1 });
    places.push(...indexes.filter(({ kind }) => kind === "decision"));
  }
  expect(places).toMatchObject([
    { from: null, to: { id: "d-1", state: "open" } },
    { from: { state: "open" }, to: { state: "answered", endedAt: ended.endedAt } },
  ]);
});
