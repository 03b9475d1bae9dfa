import { expect, test } from "vitest";
import { throttleReport } from "./throttle-report.ts";

test("errors of one kind are reported once every five seconds, with their number", () => {
  let now = 0;
  const reported: string[] = [];
  const report = throttleReport(
    (error) => reported.push(String((error as Error).message)),
    () => now,
  );
  for (let index = 0; index < 3_000; index += 1)
    report(new Error(`Missing lock for job ${index}. moveToFinished`));
  report(new Error("ECONNREFUSED"));
  expect(reported).toEqual(["Missing lock for job 0. moveToFinished", "ECONNREFUSED"]);
  now = 6_000;
  report(new Error("Missing lock for job 9. moveToFinished"));
  expect(reported.at(-1)).toBe("Missing lock for job 9. moveToFinished (and 2999 more like it)");
});
