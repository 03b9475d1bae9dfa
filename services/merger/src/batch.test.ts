import { expect, test } from "vitest";
import { LARGEST_BATCH_SIZE, nextBatchSize } from "./batch.ts";

test("the batch size doubles after a green gate, halves after a red one and stays within its bounds", () => {
  expect([nextBatchSize(8, true), nextBatchSize(8, false), nextBatchSize(1, false)]).toEqual([16, 4, 1]);
  expect(nextBatchSize(LARGEST_BATCH_SIZE, true)).toBe(LARGEST_BATCH_SIZE);
});
