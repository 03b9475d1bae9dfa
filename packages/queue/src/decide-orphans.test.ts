import { expect, test } from "vitest";
import { decideOrphans, type ActiveJob, type MissingCounts, type Workers } from "./decide-orphans.ts";

const workers: Workers = {
  dead: new Set(["gone", "gone-too"]),
  ownName: "me/1",
  running: new Set(["mine t1"]),
};
const NONE: MissingCounts = new Map();

function decide(times: number, job: ActiveJob, all = workers) {
  let before = NONE;
  let orphans: { id: string; token: string }[] = [];
  for (let index = 0; index < times; index += 1) {
    ({ orphans, missing: before } = decideOrphans([job], all, before));
  }
  return orphans;
}

test("a job of a dead worker is an orphan at the second check", () => {
  const job = { id: "a", worker: "gone/1", token: "t1" };
  expect(decide(1, job)).toEqual([]);
  expect(decide(2, job)).toEqual([{ id: "a", token: "t1" }]);
});

test("a job of a worker that is not known to be dead, or one that runs here, is no orphan", () => {
  expect(decide(9, { id: "a", worker: "other/1", token: "t1" })).toEqual([]);
  expect(decide(9, { id: "mine", worker: "me/1", token: "t1" })).toEqual([]);
});

test("a job that Redis assigns to this process and that does not run here is an orphan at the fourth check", () => {
  const job = { id: "a", worker: "me/1", token: "t1" };
  expect(decide(3, job)).toEqual([]);
  expect(decide(4, job)).toEqual([{ id: "a", token: "t1" }]);
  expect(decide(9, job, { ...workers, ownName: null })).toEqual([]);
});

test("a new lock starts a new count", () => {
  const { missing } = decideOrphans([{ id: "a", worker: "gone/1", token: "t1" }], workers, NONE);
  const taken = { id: "a", worker: "gone-too/1", token: "t2" };
  expect(decideOrphans([taken], workers, missing).orphans).toEqual([]);
});

test("a job without a lock or a worker is no orphan", () => {
  expect(decide(9, { id: "a", worker: "gone/1", token: null })).toEqual([]);
  expect(decide(9, { id: "a", worker: null, token: "t1" })).toEqual([]);
});
