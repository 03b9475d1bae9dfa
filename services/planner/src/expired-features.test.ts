import { expect, test } from "vitest";
import { expiredFeatures } from "./expired-features.ts";

const ended = [5, 1, 4, 2, 3].map((finishedAt) => ({ id: `feature-${finishedAt}`, finishedAt }));
const ids = (features: readonly { id: string }[]) => features.map(({ id }) => id);

test("features that ended before a time are removed, the oldest first and a bounded number at a time", () => {
  expect(ids(expiredFeatures(ended, 4, { alwaysKept: 0 }))).toEqual(["feature-1", "feature-2", "feature-3"]);
  expect(ids(expiredFeatures(ended, 4, { alwaysKept: 0, most: 2 }))).toEqual(["feature-1", "feature-2"]);
});

test("the newest stay, however old, so that a planner does not take Redis for wiped", () => {
  expect(ids(expiredFeatures(ended, 9, { alwaysKept: 3 }))).toEqual(["feature-1", "feature-2"]);
  expect(expiredFeatures(ended, 9)).toEqual([]);
});
