import { expect, test } from "vitest";
import { decideOrphans, type ActiveJob, type Suspicion } from "./decide-orphans.ts";

const workers = { connected: new Set(["me", "other"]), ownName: "me", running: new Set(["mine t1"]) };
const NOBODY: Suspicion = new Map();

function look(times: number, job: ActiveJob, all = workers) {
  let before = NOBODY;
  let orphans: { id: string; token: string }[] = [];
  for (let index = 0; index < times; index += 1) {
    ({ orphans, suspicion: before } = decideOrphans([job], all, before));
  }
  return orphans;
}

test("a job of a worker that is gone is an orphan at the second look", () => {
  const job = { id: "a", holder: "gone", token: "t1" };
  expect(look(1, job)).toEqual([]);
  expect(look(2, job)).toEqual([{ id: "a", token: "t1" }]);
});

test("a job of a live worker, or one that runs here, never is", () => {
  expect(look(9, { id: "a", holder: "other", token: "t1" })).toEqual([]);
  expect(look(9, { id: "mine", holder: "me", token: "t1" })).toEqual([]);
});

test("a job that Redis believes is here and is not is one at the fourth look", () => {
  const job = { id: "a", holder: "me", token: "t1" };
  expect(look(3, job)).toEqual([]);
  expect(look(4, job)).toEqual([{ id: "a", token: "t1" }]);
});

test("a new lock begins a new count", () => {
  const { suspicion } = decideOrphans([{ id: "a", holder: "gone", token: "t1" }], workers, NOBODY);
  expect(decideOrphans([{ id: "a", holder: "gone-too", token: "t2" }], workers, suspicion).orphans).toEqual(
    [],
  );
});

test("nothing is decided without a lock, a holder, or a list of clients that knows us", () => {
  expect(look(9, { id: "a", holder: "gone", token: null })).toEqual([]);
  expect(look(9, { id: "a", holder: null, token: "t1" })).toEqual([]);
  expect(look(9, { id: "a", holder: "gone", token: "t1" }, { ...workers, connected: new Set() })).toEqual([]);
});
