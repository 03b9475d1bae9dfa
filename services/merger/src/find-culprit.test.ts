import fc from "fast-check";
import { expect, test } from "vitest";
import { findCulprit } from "./find-culprit.ts";
import { LARGEST_GROUP, nextGroupSize } from "./group-size.ts";

test("the first one that turns a group red is found, with few questions", async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 100 }), fc.nat(99), async (count, pick) => {
      const culprit = pick % count;
      let asked = 0;
      const found = await findCulprit(count, async (first) => {
        asked += 1;
        return first > culprit;
      });
      expect(found).toBe(culprit);
      expect(asked).toBeLessThanOrEqual(Math.ceil(Math.log2(count)));
    }),
  );
});

test("groups double while they are green, halve when one is red, and stay within bounds", () => {
  expect([nextGroupSize(8, true), nextGroupSize(8, false), nextGroupSize(1, false)]).toEqual([16, 4, 1]);
  expect(nextGroupSize(LARGEST_GROUP, true)).toBe(LARGEST_GROUP);
});
