import { Fault } from "@agentswarm/contracts";
import { expect, test } from "vitest";
import { decideAfterFault } from "./decide-after-fault.ts";
import { asFault } from "./redis-fault.ts";

const busy = new Fault("model.unavailable", "busy", { retryable: true });
const bug = new Fault("internal", "a bug");
const replyError = (message: string) => Object.assign(new Error(message), { name: "ReplyError" });

test("why a job was aborted comes before what its handler threw", () => {
  for (const fault of [busy, bug]) {
    expect(decideAfterFault(fault, { reason: "lost", started: 1 })).toEqual({ kind: "let-go" });
    expect(decideAfterFault(fault, { reason: "shutdown", started: 1 })).toEqual({ kind: "hand-back" });
    expect(decideAfterFault(fault, { reason: "cancel", started: 1 })).toEqual({ kind: "end" });
  }
});

test("waits double up to a minute, unless the fault says how long", () => {
  const waits = [1, 2, 3, 8, 500].map((started) => decideAfterFault(busy, { reason: undefined, started }));
  expect(waits.map((next) => "waitMs" in next && next.waitMs)).toEqual([500, 1_000, 2_000, 60_000, 60_000]);
  const told = new Fault("model.unavailable", "busy", { retryable: true, retryAfterMs: 7 });
  expect(decideAfterFault(told, { reason: undefined, started: 9 })).toEqual({ kind: "retry", waitMs: 7 });
});

test("what cannot be retried is buried", () => {
  expect(decideAfterFault(bug, { reason: undefined, started: 1 })).toEqual({ kind: "bury" });
});

test("trouble with Redis is never a reason to bury", () => {
  const passing = [
    replyError("OOM command not allowed when used memory > 'maxmemory'."),
    replyError(
      "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.",
    ),
    replyError("LOADING Redis is loading the dataset in memory"),
    replyError("READONLY You can't write against a read only replica."),
    new Error("Connection is closed."),
  ];
  for (const error of passing)
    expect(asFault(error)).toMatchObject({ code: "redis.unavailable", retryable: true });
  expect(asFault(replyError("WRONGTYPE Operation against a key"))).toMatchObject({ retryable: false });
  expect(asFault(new Error("ECONNREFUSED by something else"))).toMatchObject({ code: "internal" });
});
