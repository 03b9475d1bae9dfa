import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Fault } from "@agentswarm/contracts";
import { openForeman } from "./foreman.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A foreman whose turns the test ends, in the order in which they were begun. */
function makeForeman(atOnce: number, goOn: (fault: Fault, troubles: number) => boolean = () => true) {
  const begun: string[] = [];
  const troubles: number[] = [];
  const ends: PromiseWithResolvers<void>[] = [];
  let stopped: unknown;
  const foreman = openForeman({
    atOnce,
    work(featureId, signal) {
      begun.push(featureId);
      const end = Promise.withResolvers<void>();
      ends.push(end);
      signal.addEventListener("abort", () => {
        stopped = signal.reason;
        end.reject(new Error("aborted"));
      });
      return end.promise;
    },
    async onTrouble(_, fault, count) {
      troubles.push(count);
      return goOn(fault, count);
    },
  });
  /** Lets everything that is not a timer happen. */
  const settle = () => vi.advanceTimersByTimeAsync(0);
  return {
    foreman,
    begun,
    troubles,
    stopped: () => stopped,
    async end(nth: number) {
      ends[nth]?.resolve();
      await settle();
    },
    async fail(nth: number, fault = new Fault("model.unavailable", "no", { retryable: true })) {
      ends[nth]?.reject(fault);
      await settle();
    },
  };
}

test("no more features than allowed have their turn at once; the most urgent is next, then the first come", async () => {
  const { foreman, begun, end } = makeForeman(2);
  for (const [id, urgency] of [
    ["a", 5],
    ["b", 5],
    ["c", 5],
    ["d", 1],
    ["e", 5],
  ] as const)
    foreman.call(id, urgency);
  expect(begun).toEqual(["a", "b"]);
  await end(1);
  await end(0);
  await end(2);
  expect(begun).toEqual(["a", "b", "d", "c", "e"]);
});

test("a feature that is called many times while it waits has one turn", async () => {
  const { foreman, begun, end } = makeForeman(1);
  foreman.call("a", 5);
  for (let calls = 0; calls < 3; calls += 1) foreman.call("b", 5);
  await end(0);
  await end(1);
  expect(begun).toEqual(["a", "b"]);
});

test("what has become more urgent while it waits goes first", async () => {
  const { foreman, begun, end } = makeForeman(1);
  for (const id of ["a", "b", "c"]) foreman.call(id, 5);
  foreman.call("c", 0);
  await end(0);
  expect(begun).toEqual(["a", "c"]);
});

test("called during its own turn, a feature has one more after it and never two at once", async () => {
  const { foreman, begun, end } = makeForeman(5);
  for (let calls = 0; calls < 3; calls += 1) foreman.call("a", 5);
  expect(begun).toEqual(["a"]);
  await end(0);
  expect(begun).toEqual(["a", "a"]);
  await end(1);
  expect(begun).toHaveLength(2);
});

test("after trouble a feature rests, longer each time, and others do not wait for it", async () => {
  const { foreman, begun, fail, end, troubles } = makeForeman(1);
  foreman.call("a", 5);
  await fail(0);
  foreman.call("a", 5);
  foreman.call("b", 5);
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
  expect(troubles).toEqual([1, 2]);
});

test("a good turn makes the troubles before it forgotten", async () => {
  const { foreman, fail, end, troubles } = makeForeman(1);
  foreman.call("a", 5);
  await fail(0);
  await vi.advanceTimersByTimeAsync(500);
  await end(1);
  foreman.call("a", 5);
  await fail(2);
  expect(troubles).toEqual([1, 1]);
});

test.each([
  ["is waited out", 30_000, 30_000],
  ["never makes the rest shorter", 0, 500],
  ["that is below zero does not either", -5_000, 500],
  ["is believed up to an hour", 1e15, 3_600_000],
])("a wait that the backend asks for %s", async (_, retryAfterMs, rest) => {
  const { foreman, begun, fail } = makeForeman(1);
  foreman.call("a", 5);
  await fail(0, new Fault("model.unavailable", "busy", { retryable: true, retryAfterMs }));
  await vi.advanceTimersByTimeAsync(rest - 1);
  expect(begun).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(1);
  expect(begun).toHaveLength(2);
});

test("a feature that is given up gets no other turn by itself, but one when it is called again", async () => {
  const { foreman, begun, fail } = makeForeman(1, (fault) => fault.retryable);
  foreman.call("a", 5);
  await fail(0, new Fault("internal", "broken"));
  await vi.advanceTimersByTimeAsync(3_600_000);
  expect(begun).toHaveLength(1);
  foreman.call("a", 5);
  expect(begun).toHaveLength(2);
});

test("when the trouble itself cannot be told, the feature has another turn", async () => {
  const { foreman, begun, fail } = makeForeman(1, () => {
    throw new Error("no Redis");
  });
  foreman.call("a", 5);
  await fail(0);
  await vi.advanceTimersByTimeAsync(500);
  expect(begun).toHaveLength(2);
});

test("stopping aborts the turns, waits for them and begins no other", async () => {
  const { foreman, begun, stopped, troubles } = makeForeman(1);
  foreman.call("a", 5);
  foreman.call("b", 5);
  await foreman[Symbol.asyncDispose]();
  foreman.call("c", 5);
  await vi.advanceTimersByTimeAsync(3_600_000);
  expect(stopped()).toBe("shutdown");
  expect(begun).toEqual(["a"]);
  expect(troubles).toEqual([]);
});
