import { expect, test } from "vitest";
import { reportSeldom } from "./report-seldom.ts";

test("thousands of one kind are a line every five seconds, with their number; another kind is not kept waiting", () => {
  let now = 0;
  const said: string[] = [];
  const report = reportSeldom(
    (error) => said.push(String((error as Error).message)),
    () => now,
  );
  for (let index = 0; index < 3_000; index += 1)
    report(new Error(`Missing lock for job ${index}. moveToFinished`));
  report(new Error("ECONNREFUSED"));
  expect(said).toEqual(["Missing lock for job 0. moveToFinished", "ECONNREFUSED"]);
  now = 6_000;
  report(new Error("Missing lock for job 9. moveToFinished"));
  expect(said.at(-1)).toBe("Missing lock for job 9. moveToFinished (and 2999 more like it)");
});
