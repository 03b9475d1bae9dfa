import { Fault } from "@agentswarm/contracts";
import { expect, test } from "vitest";
import { isBusy, nextDelay, retryWhileBusy, type BackOff } from "./retry-while-busy.ts";

const bounds: BackOff = { firstMs: 100, longestMs: 1_000, withinMs: 5_000 };
const quick: BackOff = { firstMs: 1, longestMs: 2, withinMs: 40 };
const grpc = (code: number, message = "no") => Object.assign(new Error(message), { code });

test("each wait doubles up to the longest, scattered by a random number", () => {
  expect([0, 1, 2, 3, 4, 9].map((tries) => nextDelay(tries, 0, 1, bounds))).toEqual([
    100, 200, 400, 800, 1_000, 1_000,
  ]);
  expect(nextDelay(3, 0, 0, bounds)).toBe(400);
  expect(nextDelay(3, 0, 0.5, bounds)).toBe(600);
});

test("gives up when the next wait would exceed its bound", () => {
  expect(nextDelay(9, 4_000, 1, bounds)).toBe(1_000);
  expect(nextDelay(9, 4_001, 1, bounds)).toBeNull();
});

test("a busy service is known by its gRPC status, the SDK's error or a proxy's 429", () => {
  expect(isBusy(grpc(8))).toBe(true);
  expect(isBusy(grpc(14, "Received HTTP status code 429"))).toBe(true);
  expect(isBusy(Object.assign(new Error("no capacity"), { name: "ResourceExhaustedError" }))).toBe(true);
  expect([grpc(5), grpc(14), new Error("4290 bytes")].map(isBusy)).toEqual([false, false, false]);
});

test("a call is retried while the service is busy", async () => {
  let calls = 0;
  const answer = await retryWhileBusy(
    "open a sandbox",
    async () => {
      calls += 1;
      if (calls < 4) throw grpc(8);
      return "open";
    },
    quick,
  );
  expect([answer, calls]).toEqual(["open", 4]);
});

test("a service that stays busy or fails is unavailable, and the fault is retryable", async () => {
  const late = Object.assign(new Error("late"), { name: "TimeoutError" });
  for (const error of [grpc(8), grpc(14), grpc(13), grpc(4), late]) {
    const fault = await retryWhileBusy("open a sandbox", () => Promise.reject(error), quick).catch(
      (one) => one,
    );
    expect(fault).toBeInstanceOf(Fault);
    expect(fault).toMatchObject({ code: "sandbox.unavailable", retryable: true, cause: error });
    expect((fault as Fault).message).toContain("open a sandbox");
  }
});

test("a refused token is not retried, and the error names its settings", async () => {
  let calls = 0;
  const calling = retryWhileBusy(
    "find the app",
    () => {
      calls += 1;
      return Promise.reject(grpc(16, "Token not found"));
    },
    quick,
  );
  await expect(calling).rejects.toMatchObject({ code: "config.invalid", source: "operator" });
  await expect(calling).rejects.toThrow(/MODAL_TOKEN_ID and MODAL_TOKEN_SECRET/);
  expect(calls).toBe(1);
});

test("a refused request is not retried", async () => {
  for (const error of [grpc(3), Object.assign(new Error("too long"), { name: "InvalidError" })]) {
    const calling = retryWhileBusy("start a program", () => Promise.reject(error), quick);
    await expect(calling).rejects.toMatchObject({ code: "sandbox.refused", source: "operator" });
  }
});

test("any other error is thrown unchanged", async () => {
  const error = grpc(5);
  await expect(retryWhileBusy("find a snapshot", () => Promise.reject(error), quick)).rejects.toBe(error);
});
