import { expect, test } from "vitest";
import { idOf, TIMES } from "./liveness.ts";

test("a heartbeat outlasts a connection that is away for five seconds", () => {
  const { beatEveryMs, silentAfterMs, quietMs } = TIMES;
  const reconnectMs = 1_000;
  expect(silentAfterMs - beatEveryMs - reconnectMs).toBeGreaterThan(5_000);
  // Others reconnect within it after an outage.
  expect(quietMs).toBeGreaterThan(4 * reconnectMs);
});

test("the names of workers and tokens begin with the connection's id", () => {
  expect(idOf("planner-1a/7")).toBe("planner-1a");
  expect(idOf("planner-1a")).toBe("planner-1a");
});
