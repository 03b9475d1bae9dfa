import { Fault } from "@agentswarm/contracts";
import { expect, test } from "vitest";
import { decideAfterFault } from "./decide-after-fault.ts";
import { asFault } from "./redis-fault.ts";

const busy = new Fault("model.unavailable", "busy", { retryable: true });
const bug = new Fault("internal", "a bug");
const replyError = (message: string) => Object.assign(new Error(message), { name: "ReplyError" });

test("the reason of an abort decides before the error of the handler", () => {
  for (const fault of [busy, bug]) {
    expect(decideAfterFault(fault, { reason: "lost", started: 1 })).toEqual({ kind: "release" });
    expect(decideAfterFault(fault, { reason: "shutdown", started: 1 })).toEqual({ kind: "hand-back" });
    expect(decideAfterFault(fault, { reason: "cancel", started: 1 })).toEqual({ kind: "cancelled" });
  }
});

test("delays double up to a minute, unless the fault names a delay", () => {
  const delays = [1, 2, 3, 8, 500].map((started) => decideAfterFault(busy, { reason: undefined, started }));
  expect(delays.map((next) => "delayMs" in next && next.delayMs)).toEqual([
    500, 1_000, 2_000, 60_000, 60_000,
  ]);
  const given = new Fault("model.unavailable", "busy", { retryable: true, retryAfterMs: 7 });
  expect(decideAfterFault(given, { reason: undefined, started: 9 })).toEqual({ kind: "retry", delayMs: 7 });
});

test("a fault that is not retryable makes a dead letter", () => {
  expect(decideAfterFault(bug, { reason: undefined, started: 1 })).toEqual({ kind: "dead-letter" });
});

test("a transient error of Redis is retryable", () => {
  const transient = [
    replyError("OOM command not allowed when used memory > 'maxmemory'."),
    replyError(
      "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.",
    ),
    replyError("LOADING Redis is loading the dataset in memory"),
    replyError("READONLY You can't write against a read only replica."),
    new Error("Connection is closed."),
  ];
  for (const error of transient)
    expect(asFault(error)).toMatchObject({ code: "redis.unavailable", retryable: true });
  expect(asFault(replyError("WRONGTYPE Operation against a key"))).toMatchObject({ retryable: false });
  expect(asFault(new Error("ECONNREFUSED by something else"))).toMatchObject({ code: "internal" });
});
