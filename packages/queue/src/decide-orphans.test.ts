import { expect, test } from "vitest";
import { decideOrphans, type ActiveJob, type MissingCounts } from "./decide-orphans.ts";

const workers = { connected: new Set(["me", "other"]), ownName: "me", running: new Set(["mine t1"]) };
const NONE: MissingCounts = new Map();

function decide(times: number, job: ActiveJob, all = workers) {
  let before = NONE;
  let orphans: { id: string; token: string }[] = [];
  for (let index = 0; index < times; index += 1) {
    ({ orphans, missing: before } = decideOrphans([job], all, before));
  }
  return orphans;
}

test("a job of a disconnected worker is an orphan at the second check", () => {
  const job = { id: "a", worker: "gone", token: "t1" };
  expect(decide(1, job)).toEqual([]);
  expect(decide(2, job)).toEqual([{ id: "a", token: "t1" }]);
});

test("a job of a connected worker, or one that runs here, is no orphan", () => {
  expect(decide(9, { id: "a", worker: "other", token: "t1" })).toEqual([]);
  expect(decide(9, { id: "mine", worker: "me", token: "t1" })).toEqual([]);
});

test("a job that Redis assigns to this process and that does not run here is an orphan at the fourth check", () => {
  const job = { id: "a", worker: "me", token: "t1" };
  expect(decide(3, job)).toEqual([]);
  expect(decide(4, job)).toEqual([{ id: "a", token: "t1" }]);
});

test("a new lock starts a new count", () => {
  const { missing } = decideOrphans([{ id: "a", worker: "gone", token: "t1" }], workers, NONE);
  expect(decideOrphans([{ id: "a", worker: "gone-too", token: "t2" }], workers, missing).orphans).toEqual([]);
});

test("without a lock, a worker or this process in the list of clients there are no orphans", () => {
  expect(decide(9, { id: "a", worker: "gone", token: null })).toEqual([]);
  expect(decide(9, { id: "a", worker: null, token: "t1" })).toEqual([]);
  expect(decide(9, { id: "a", worker: "gone", token: "t1" }, { ...workers, connected: new Set() })).toEqual(
    [],
  );
});
