import { Fault } from "@agentswarm/contracts";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { pauseWhenBlocked } from "./pause-when-blocked.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const broken = new Fault("target.invalid", "swarm.json is not JSON");
function open() {
  const worker = { pause: vi.fn(async () => undefined), resume: vi.fn() };
  const blocking = pauseWhenBlocked(worker, { faults: 4, tries: 2, report: () => undefined });
  const meet = (times: number, fault = broken) => {
    for (let nth = 0; nth < times; nth += 1) blocking.met(fault);
  };
  return { worker, blocking, meet };
}

test("the same fault again and again pauses the worker, which then tries a few jobs and pauses longer", () => {
  const { worker, meet } = open();
  meet(3);
  expect(worker.pause).not.toHaveBeenCalled();
  meet(2);
  expect(worker.pause).toHaveBeenCalledTimes(1);
  vi.advanceTimersByTime(1_000);
  expect(worker.resume).toHaveBeenCalledTimes(1);
  meet(2);
  expect(worker.pause).toHaveBeenCalledTimes(2);
  vi.advanceTimersByTime(1_999);
  expect(worker.resume).toHaveBeenCalledTimes(1);
  vi.advanceTimersByTime(1);
  expect(worker.resume).toHaveBeenCalledTimes(2);
});

test("a feature that a person has paused does not pause the others", () => {
  const { worker, meet } = open();
  meet(20, new Fault("work.paused", "paused by ada (swarm resume feature-1)"));
  expect(worker.pause).not.toHaveBeenCalled();
});

test("other faults, and a job that goes on, begin the count again", () => {
  const { worker, blocking, meet } = open();
  meet(3);
  meet(1, new Fault("origin.unreachable", "no route"));
  meet(3);
  blocking.wentOn();
  meet(3);
  expect(worker.pause).not.toHaveBeenCalled();
});
