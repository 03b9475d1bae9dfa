import { expect, test } from "vitest";
import { expiredRounds } from "./expired-attempts.ts";

const DAY_MS = 24 * 3_600_000;
const now = 100 * DAY_MS;
const round = (taskId: string, daysOld: number, attempts = [1]) =>
  [`${taskId}.1`, { taskId, attempts, sent: null, at: now - daysOld * DAY_MS }] as const;
const week = { now, keptMs: 7 * DAY_MS };

test("the attempts of a round are kept for a week after the last thing that happened to it", () => {
  const rounds = new Map([round("a", 6.99), round("b", 7, [1, 2]), round("c", 30)]);
  expect(expiredRounds(rounds, new Set(), week)).toEqual([
    { key: "b.1", taskId: "b", attempts: [1, 2] },
    { key: "c.1", taskId: "c", attempts: [1] },
  ]);
});

test("the attempts of a task in use are kept, however old", () => {
  const rounds = new Map([round("held", 400), round("ended", 400)]);
  expect(expiredRounds(rounds, new Set(["held"]), week).map(({ taskId }) => taskId)).toEqual(["ended"]);
});

test("one turn removes a bounded number of rounds", () => {
  const rounds = new Map(Array.from({ length: 5 }, (_, nth) => round(`t${nth}`, 30)));
  expect(expiredRounds(rounds, new Set(), { ...week, most: 2 })).toHaveLength(2);
});
