import { expect, test } from "vitest";
import { growth, lag } from "./bounded.ts";
import type { Sample } from "./sample.ts";

const samples = (of: (nth: number) => Pick<Sample, "rssMib" | "lagMs">): Sample[] =>
  Array.from({ length: 30 }, (_, nth) => ({ atSeconds: nth, redisMib: 0, redisKeys: 0, ...of(nth) }));
const flat = { rssMib: { "planner-1": 150 }, lagMs: { planner: 300, soak: 100 } };

test("memory and lag that stay as they were, and single outliers, are within the bounds", () => {
  const soaked = samples((nth) =>
    nth % 5 === 0 ? { rssMib: { "planner-1": 900 }, lagMs: { planner: 12_000, soak: 100 } } : flat,
  );
  expect([...growth(soaked), ...lag(soaked)]).toEqual([]);
});

test("a service whose memory keeps growing is named", () => {
  const soaked = samples((nth) => ({ ...flat, rssMib: { "planner-1": 40 * nth } }));
  expect(growth(soaked)).toEqual(["planner-1 grew from 600 to 1000 MiB"]);
});

test("a service that pauses at the end is named, unless the machine makes the soak itself pause as well", () => {
  const pausing = (soak: number) =>
    samples((nth) => (nth < 15 ? flat : { ...flat, lagMs: { planner: 1_500, soak } }));
  expect(lag(pausing(100))).toEqual(["the event loop of planner pauses for 1500 ms; at most 1200"]);
  expect(lag(pausing(900))).toEqual([]);
});
