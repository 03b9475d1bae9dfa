import { Fault } from "@agentswarm/contracts";
import { expect, test } from "vitest";
import { decideAfterFault } from "./decide-after-fault.ts";

const busy = new Fault("model.unavailable", "busy", { retryable: true });
const bug = new Fault("internal", "a bug");

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

test("a bug is retried twice, then its job is a dead letter", () => {
  const after = (fault: Fault) =>
    [1, 2, 3].map((started) => decideAfterFault(fault, { reason: undefined, started }));
  expect(after(bug)).toEqual([
    { kind: "retry", delayMs: 500 },
    { kind: "retry", delayMs: 1_000 },
    { kind: "dead-letter" },
  ]);
});

test("what an attempt brought, and a message that cannot be read, make a dead letter at once", () => {
  for (const code of ["git.refused", "message.invalid", "model.invalid"] as const) {
    const fault = new Fault(code, "never");
    expect(decideAfterFault(fault, { reason: undefined, started: 1 })).toEqual({ kind: "dead-letter" });
  }
});
