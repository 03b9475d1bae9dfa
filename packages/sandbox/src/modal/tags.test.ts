import { expect, test } from "vitest";
import { isOrphaned, labelsOf, tagsOf } from "./tags.ts";

const labels = { swarm: "s", purpose: "agent", task: "t-1", attempt: "2" };

test("labels are read from tags as they were written", () => {
  expect(labelsOf(tagsOf(labels))).toEqual(labels);
  expect(labelsOf(tagsOf({ swarm: "s", purpose: "gate" }))).toEqual({ swarm: "s", purpose: "gate" });
});

test("a tag's value holds only letters, digits, dots, dashes and underscores", () => {
  for (const value of Object.values(tagsOf(labels))) expect(value).toMatch(/^[\w.-]{1,63}$/);
});

test("a sandbox is orphaned when its owner was a process of this host that is gone", () => {
  const owner = tagsOf(labels)["owner"] ?? "";
  const [pid = "", ticks = "", host = ""] = owner.split("_");
  expect(isOrphaned({ owner })).toBe(false);
  // The same number, started at another time: another process.
  expect(isOrphaned({ owner: `${pid}_${Number(ticks) + 1}_${host}` })).toBe(true);
  expect(isOrphaned({ owner: `4194305_1_${host}` })).toBe(true);
  expect(isOrphaned({ owner: `4194305_1_another` })).toBe(false);
  expect(isOrphaned({})).toBe(false);
});
