import { expect, test } from "vitest";
import { NO_METRICS, NO_NOTES, type MergeRequest } from "@agentswarm/contracts";
import { openPassengers, type Passengers } from "./passengers.ts";

const request = (taskId: string, change: Partial<MergeRequest> = {}): MergeRequest => ({
  taskId,
  featureId: "feature-1",
  attempt: 1,
  ref: `refs/swarm/${taskId}/1`,
  baseCommit: "a".repeat(40),
  headCommit: "b".repeat(40),
  title: taskId,
  handoff: {
    taskId,
    attempt: 1,
    round: 1,
    outcome: "complete",
    end: "submitted",
    summary: "",
    ...NO_NOTES,
    metrics: NO_METRICS,
    headCommit: "b".repeat(40),
    model: "m",
  },
  ...change,
});
const job = (crashes = 0, signal = new AbortController().signal) => ({
  crashes,
  signal,
  atWork: async () => undefined,
});
const names = (passengers: Passengers, most = 100, busy: string[] = []) =>
  passengers.take(most, new Set(busy)).map((one) => one.request.taskId);
const enter = (passengers: Passengers, ...waiting: [string, number?, Partial<MergeRequest>?][]) => {
  for (const [taskId, crashes, change] of waiting) void passengers.add(request(taskId, change), job(crashes));
};

test("they leave in order, no more than fit, and what is put back goes first", () => {
  const passengers = openPassengers();
  enter(passengers, ["a"], ["b"], ["c"]);
  const first = passengers.take(2, new Set());
  expect(first.map((one) => one.request.taskId)).toEqual(["a", "b"]);
  passengers.putBack(first);
  expect(names(passengers)).toEqual(["a", "b", "c"]);
});

test("a task that is under way, or that waits twice, is taken later", () => {
  const passengers = openPassengers();
  enter(passengers, ["a"], ["b"], ["a", 0, { attempt: 2 }]);
  expect(names(passengers, 100, ["b"])).toEqual(["a"]);
  expect(names(passengers)).toEqual(["b", "a"]);
});

test("an approved one goes alone", () => {
  const passengers = openPassengers();
  enter(passengers, ["a"], ["b", 0, { approvedBy: "ada" }], ["c"]);
  expect([names(passengers), names(passengers), names(passengers)]).toEqual([["a"], ["b"], ["c"]]);
});

test("the more often one was there when the merger ended, the fewer go with it", () => {
  const passengers = openPassengers();
  enter(passengers, ...Array.from({ length: 12 }, (_, nth): [string, number] => [`once-${nth}`, 1]));
  enter(passengers, ["thrice", 3], ["twice-1", 2], ["twice-2", 2], ["never"]);
  expect(names(passengers)).toHaveLength(10);
  expect(names(passengers)).toEqual(["once-10", "once-11"]);
  expect(names(passengers)).toEqual(["thrice"]);
  expect(names(passengers)).toEqual(["twice-1", "twice-2", "never"]);
});

test("one whose job is stopped leaves the line and hears why", async () => {
  const passengers = openPassengers();
  const stopping = new AbortController();
  const waiting = passengers.add(request("a"), job(0, stopping.signal));
  stopping.abort("shutdown");
  await expect(waiting).rejects.toMatchObject({
    retryable: true,
    message: expect.stringContaining("shutdown"),
  });
  expect(passengers.count).toBe(0);
});
