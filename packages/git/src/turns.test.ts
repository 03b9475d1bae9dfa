import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import { openTurns } from "./turns.ts";

test("as many callers as there are turns work at the same time, the others after them in order", async () => {
  const turns = openTurns(2);
  const begun: number[] = [];
  const taken = [1, 2, 3, 4].map(async (nth) => {
    const turn = await turns.take();
    begun.push(nth);
    return turn;
  });
  await setImmediate();
  expect(begun).toEqual([1, 2]);
  (await taken[0])?.[Symbol.dispose]();
  await setImmediate();
  expect(begun).toEqual([1, 2, 3]);
  (await taken[1])?.[Symbol.dispose]();
  (await taken[2])?.[Symbol.dispose]();
  await setImmediate();
  expect(begun).toEqual([1, 2, 3, 4]);
});
