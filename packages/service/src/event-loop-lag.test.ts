import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { measureLag } from "./event-loop-lag.ts";

const BLOCKED_MS = 200;

test("the time in which the event loop did not turn is measured, once", async () => {
  using meter = measureLag();
  await sleep(50);
  const end = performance.now() + BLOCKED_MS;
  while (performance.now() < end);
  await sleep(50);
  expect(meter.takeMaxMs()).toBeGreaterThan(BLOCKED_MS - 30);
  expect(meter.takeMaxMs()).toBe(0);
});
