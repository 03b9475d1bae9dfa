import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Fault } from "@agentswarm/contracts";
import { openPlanningScheduler } from "./planning-scheduler.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A scheduler whose turns the test ends, in the order in which they began. */
function makeScheduler(atOnce: number, goOn: (fault: Fault, failures: number) => boolean = () => true) {
  const begun: string[] = [];
  const failures: number[] = [];
  const ends: PromiseWithResolvers<void>[] = [];
  let stopped: unknown;
  const scheduler = openPlanningScheduler(atOnce);
  scheduler.onTurn({
    run(featureId, signal) {
      begun.push(featureId);
      const end = Promise.withResolvers<void>();
      ends.push(end);
      signal.addEventListener("abort", () => {
        stopped = signal.reason;
        end.reject(new Error("aborted"));
      });
      return end.promise;
    },
    async onFailure(_, fault, count) {
      failures.push(count);
      return goOn(fault, count);
    },
  });
  /** Runs all pending promises, but no timer. */
  const flush = () => vi.advanceTimersByTimeAsync(0);
  return {
    scheduler,
    begun,
    failures,
    stopped: () => stopped,
    async end(nth: number) {
      ends[nth]?.resolve();
      await flush();
    },
    async fail(nth: number, fault = new Fault("model.unavailable", "no", { retryable: true })) {
      ends[nth]?.reject(fault);
      await flush();
    },
  };
}

test("at most the allowed number of turns run, the most urgent first, then in order of arrival", async () => {
  const { scheduler, begun, end } = makeScheduler(2);
  for (const [id, urgency] of [
    ["a", 5],
    ["b", 5],
    ["c", 5],
    ["d", 1],
    ["e", 5],
  ] as const)
    scheduler.enqueue(id, urgency);
  expect(begun).toEqual(["a", "b"]);
  await end(1);
  await end(0);
  await end(2);
  expect(begun).toEqual(["a", "b", "d", "c", "e"]);
});

test("a feature that is enqueued several times has one turn", async () => {
  const { scheduler, begun, end } = makeScheduler(1);
  scheduler.enqueue("a", 5);
  for (let calls = 0; calls < 3; calls += 1) scheduler.enqueue("b", 5);
  await end(0);
  await end(1);
  expect(begun).toEqual(["a", "b"]);
});

test("a feature that becomes more urgent while it waits goes first", async () => {
  const { scheduler, begun, end } = makeScheduler(1);
  for (const id of ["a", "b", "c"]) scheduler.enqueue(id, 5);
  scheduler.enqueue("c", 0);
  await end(0);
  expect(begun).toEqual(["a", "c"]);
});

test("a feature enqueued during its own turn has one more turn after it", async () => {
  const { scheduler, begun, end } = makeScheduler(5);
  for (let calls = 0; calls < 3; calls += 1) scheduler.enqueue("a", 5);
  expect(begun).toEqual(["a"]);
  await end(0);
  expect(begun).toEqual(["a", "a"]);
  await end(1);
  expect(begun).toHaveLength(2);
});

test("the back-off after a failed turn grows and does not delay other features", async () => {
  const { scheduler, begun, fail, end, failures } = makeScheduler(1);
  scheduler.enqueue("a", 5);
  await fail(0);
  scheduler.enqueue("a", 5);
  scheduler.enqueue("b", 5);
  expect(begun).toEqual(["a", "b"]);
  await end(1);
  await vi.advanceTimersByTimeAsync(499);
  expect(begun).toHaveLength(2);
  await vi.advanceTimersByTimeAsync(1);
  expect(begun).toEqual(["a", "b", "a"]);
  await fail(2);
  await vi.advanceTimersByTimeAsync(999);
  expect(begun).toHaveLength(3);
  await vi.advanceTimersByTimeAsync(1);
  expect(begun).toHaveLength(4);
  expect(failures).toEqual([1, 2]);
});

test("a successful turn resets the count of failures", async () => {
  const { scheduler, fail, end, failures } = makeScheduler(1);
  scheduler.enqueue("a", 5);
  await fail(0);
  await vi.advanceTimersByTimeAsync(500);
  await end(1);
  scheduler.enqueue("a", 5);
  await fail(2);
  expect(failures).toEqual([1, 1]);
});

test.each([
  ["is waited out", 30_000, 30_000],
  ["never shortens the back-off", 0, 500],
  ["below zero does not either", -5_000, 500],
  ["holds for an hour at most", 1e15, 3_600_000],
])("a retry-after of the backend %s", async (_, retryAfterMs, rest) => {
  const { scheduler, begun, fail } = makeScheduler(1);
  scheduler.enqueue("a", 5);
  await fail(0, new Fault("model.unavailable", "busy", { retryable: true, retryAfterMs }));
  await vi.advanceTimersByTimeAsync(rest - 1);
  expect(begun).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(1);
  expect(begun).toHaveLength(2);
});

test("a feature that is not to be retried has its next turn when it is enqueued again", async () => {
  const { scheduler, begun, fail } = makeScheduler(1, (fault) => fault.retryable);
  scheduler.enqueue("a", 5);
  await fail(0, new Fault("internal", "broken"));
  await vi.advanceTimersByTimeAsync(3_600_000);
  expect(begun).toHaveLength(1);
  scheduler.enqueue("a", 5);
  expect(begun).toHaveLength(2);
});

test("a turn is retried when the report of its failure fails", async () => {
  const { scheduler, begun, fail } = makeScheduler(1, () => {
    throw new Error("no Redis");
  });
  scheduler.enqueue("a", 5);
  await fail(0);
  await vi.advanceTimersByTimeAsync(500);
  expect(begun).toHaveLength(2);
});

test("stopping aborts running turns and starts no other", async () => {
  const { scheduler, begun, stopped, failures } = makeScheduler(1);
  scheduler.enqueue("a", 5);
  scheduler.enqueue("b", 5);
  await scheduler[Symbol.asyncDispose]();
  scheduler.enqueue("c", 5);
  await vi.advanceTimersByTimeAsync(3_600_000);
  expect(stopped()).toBe("shutdown");
  expect(begun).toEqual(["a"]);
  expect(failures).toEqual([]);
});
