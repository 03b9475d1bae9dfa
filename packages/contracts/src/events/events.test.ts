import { expect, test } from "vitest";
import {
  domainEventSchema,
  EVENT_TYPES,
  isEventOf,
  liftEvent,
  subjectOf,
  type DomainEvent,
  type EventToSend,
} from "./index.ts";

const stamp = { at: 1, actor: "test" };
const started = {
  id: "attempt-started-t-1",
  type: "attempt.started",
  repoId: "main",
  featureId: "feature-1",
  taskId: "t",
  attempt: 1,
  data: { provider: "local", sandboxId: "s", baseCommit: "a".repeat(40), round: 1 },
} as const satisfies EventToSend;

test("data that does not belong to its type is refused", () => {
  expect(domainEventSchema.safeParse({ ...started, ...stamp }).success).toBe(true);
  const wrong = { ...started, ...stamp, data: { nonsense: 1 } };
  expect(domainEventSchema.safeParse(wrong).error?.issues[0]?.path).toContain("data");
});

test("data that does not belong to its type does not compile", () => {
  const wrong: EventToSend = {
    id: "e",
    type: "task.sent",
    repoId: "main",
    featureId: "f",
    taskId: "t",
    // @ts-expect-error -- the data of another type
    data: {},
  };
  expect(domainEventSchema.safeParse({ ...wrong, ...stamp }).success).toBe(false);
});

test("an event about an attempt names it", () => {
  const { attempt: _, ...nameless } = { ...started, ...stamp };
  expect(domainEventSchema.safeParse(nameless).success).toBe(false);
});

test("every type is of a noun, once", () => {
  expect(new Set(EVENT_TYPES).size).toBe(EVENT_TYPES.length);
  for (const type of EVENT_TYPES) expect(type).toMatch(/^[a-z]+\.[a-z-]+$/);
});

test("a switch over the types is held to be exhaustive by the compiler", () => {
  const nounOf = (event: DomainEvent): string => {
    switch (event.type) {
      case "feature.submitted":
      case "feature.changed":
      case "plan.made":
      case "plan.rejected":
      case "feature.waiting":
      case "person.acted":
      case "decision.asked":
      case "decision.answered":
      case "decision.reminded":
      case "decision.timed-out":
      case "decision.withdrawn":
      case "answer.refused":
      case "note.said":
      case "note.refused":
        return "feature";
      case "task.planned":
      case "task.sent":
      case "task.changed":
      case "task.waiting":
        return "task";
      case "attempt.started":
      case "attempt.progressed":
      case "attempt.ended":
      case "note.heard":
        return "attempt";
      case "landing.landed":
      case "landing.conflicted":
      case "landing.rejected":
      case "landing.held":
        return "landing";
      case "gate.flaked":
      case "sweep.finished":
      case "trunk.green":
      case "trunk.rewritten":
      case "trunk.waiting":
      case "model.used":
      case "budget.reached":
      case "backend.opened":
      case "backend.closed":
      case "message.dead-lettered":
      case "work.paused":
      case "work.resumed":
        return "swarm";
    }
  };
  expect(nounOf({ ...started, ...stamp })).toBe("attempt");
});

test("events of one type are picked out with their data's type", () => {
  const events: DomainEvent[] = [{ ...started, ...stamp }];
  expect(events.filter(isEventOf("attempt.started")).map((event) => event.data.sandboxId)).toEqual(["s"]);
  expect(events.filter(isEventOf("task.sent"))).toEqual([]);
});

test("the ids of an event are read without knowing its type", () => {
  expect(subjectOf(started)).toMatchObject({ repoId: "main", taskId: "t", attempt: 1 });
  const closed: EventToSend = { id: "b", type: "backend.closed", data: { backend: "one" } };
  expect(subjectOf(closed).taskId).toBeUndefined();
});

test("an event of version 1 is read in the words of this one", () => {
  const data = { queue: "task", jobId: "task-a-1", code: "internal", message: "no" };
  const old = { id: "buried-task-a", type: "message.buried", ...stamp, data };
  expect(domainEventSchema.parse(liftEvent(old))).toMatchObject({ type: "message.dead-lettered", data });
});

test("the counts of a version 1 event are read by their new name", () => {
  const counts = { total: 2, landed: 1, running: 1, failed: 0, held: 0 };
  const data = { status: "building", reason: null, costUsd: 0, tokens: 0, finishedAt: null, counts };
  const old = { id: "f", type: "feature.changed", featureId: "feature-1", ...stamp, data };
  const lifted = domainEventSchema.parse(liftEvent(old));
  expect(isEventOf("feature.changed")(lifted) && lifted.data.counts).toEqual({
    total: 2,
    ready: 0,
    underWay: 1,
    landed: 1,
    failed: 0,
    held: 0,
  });
});
