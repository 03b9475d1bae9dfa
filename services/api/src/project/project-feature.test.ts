import { subjectOf, type DomainEvent, type FeatureSubmission } from "@agentswarm/contracts";
import { expect, test } from "vitest";
import { projectFeature } from "./project-feature.ts";
import type { FeatureView } from "./views.ts";

const about = { at: 7, actor: "planner", repoId: "main", featureId: "feature-1" };
const feature: FeatureSubmission = {
  id: "feature-1",
  repoId: "main",
  title: "Dark mode",
  description: "",
  acceptance: [],
  priority: 3,
  source: "rest",
  createdAt: 1,
};
const submitted: DomainEvent = { ...about, id: "s", type: "feature.submitted", data: feature };
const dead = (jobId: string): DomainEvent => ({
  at: 9,
  actor: "planner",
  id: "d",
  type: "message.dead-lettered",
  data: { queue: "plan", jobId, code: "internal", message: "the service crashed 5 times" },
});
const building: DomainEvent = {
  ...about,
  id: "c",
  type: "feature.changed",
  ledgerVersion: 2,
  data: {
    status: "building",
    reason: null,
    costUsd: 0,
    tokens: 0,
    finishedAt: null,
    counts: { total: 1, ready: 0, underWay: 1, landed: 0, failed: 0, held: 0 },
    forecast: null,
    revert: null,
  },
};
const project = (...events: DomainEvent[]) =>
  events.reduce<FeatureView | null>((view, event) => projectFeature(view, event), null);

test("a feature whose submission became a dead letter has failed, with the reason and the command that sends it again", () => {
  const event = dead("feature-feature-1");
  expect(subjectOf(event).featureId).toBe("feature-1");
  expect(project(submitted, event)).toMatchObject({
    status: "failed",
    finishedAt: 9,
    reason: expect.stringMatching(/swarm jobs retry.*crashed 5 times/),
  });
});

test("a submission that is sent again goes on", () => {
  expect(project(submitted, dead("feature-feature-1"), building)).toMatchObject({
    status: "building",
    reason: null,
    finishedAt: null,
  });
});

test("a feature with a ledger outlives the dead letter of its submission", () => {
  expect(project(submitted, building, dead("feature-feature-1"))).toMatchObject({ status: "building" });
});

test("the dead letter of another message is about no feature", () => {
  expect(subjectOf(dead("handoff-a-1")).featureId).toBeUndefined();
});

test("a feature shows what people did to it in the order of time, and no more than the newest 20", () => {
  const acted = (nth: number): DomainEvent => ({
    ...about,
    at: nth,
    id: `person-acted-${nth}`,
    type: "person.acted",
    data: { action: "retry", by: `p${nth}`, via: "cli", taskId: null, why: "" },
  });
  const view = project(submitted, acted(3), acted(1), acted(2));
  expect(view?.actions.map(({ at, by, via }) => [at, by, via])).toEqual([
    [1, "p1", "cli"],
    [2, "p2", "cli"],
    [3, "p3", "cli"],
  ]);
  const many = project(submitted, ...Array.from({ length: 25 }, (_, nth) => acted(nth)));
  expect(many?.actions.map(({ at }) => at)).toEqual(Array.from({ length: 20 }, (_, nth) => nth + 5));
});
