import fc from "fast-check";
import { expect, test } from "vitest";
import { bisect } from "./bisect.ts";

test("the first landing that turns a batch red is found with at most log2(count) gate runs", async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 100 }), fc.nat(99), async (count, pick) => {
      const culprit = pick % count;
      let asked = 0;
      const found = await bisect(count, async (first) => {
        asked += 1;
        return first > culprit;
      });
      expect(found).toBe(culprit);
      expect(asked).toBeLessThanOrEqual(Math.ceil(Math.log2(count)));
    }),
  );
});
