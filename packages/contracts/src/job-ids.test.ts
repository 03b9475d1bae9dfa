import fc from "fast-check";
import { expect, test } from "vitest";
import { jobId, parseJobId, type ParsedJobId } from "./job-ids.ts";

const id = fc.stringMatching(/^[a-z0-9-]{1,64}$/);
const count = fc.integer({ min: 0, max: 100_000 });
const commit = fc.stringMatching(/^[0-9a-f]{40}$/);

/** Every maker, with what it is given and what its id is to be parsed as. */
const made: fc.Arbitrary<[string, ParsedJobId]> = fc.oneof(
  id.map((featureId): [string, ParsedJobId] => [jobId.feature(featureId), { kind: "feature", featureId }]),
  fc
    .tuple(fc.constantFrom("handoff", "merge"), id, count, fc.boolean())
    .map(([kind, taskId, attempt, approved]): [string, ParsedJobId] => [
      jobId[kind](taskId, attempt, approved),
      { kind, taskId, attempt, approved },
    ]),
  fc
    .tuple(id, count)
    .map(([taskId, round]): [string, ParsedJobId] => [
      jobId.task(taskId, round),
      { kind: "task", taskId, round },
    ]),
  fc
    .tuple(id, count)
    .map(([decisionId, nth]): [string, ParsedJobId] => [
      jobId.due(decisionId, nth),
      { kind: "due", decisionId, nth },
    ]),
  commit.map((head): [string, ParsedJobId] => [
    jobId.sweepAfterLandings(head),
    { kind: "sweepAfterLandings", head },
  ]),
  fc
    .tuple(id, count)
    .map(([featureId, ledgerVersion]): [string, ParsedJobId] => [
      jobId.sweepAfterLastTask(featureId, ledgerVersion),
      { kind: "sweepAfterLastTask", featureId, ledgerVersion },
    ]),
  id.map((taskId): [string, ParsedJobId] => [jobId.sweepAfterFix(taskId), { kind: "sweepAfterFix", taskId }]),
  fc
    .tuple(id, count)
    .map(([schedule, at]): [string, ParsedJobId] => [
      jobId.scheduled(schedule, at),
      { kind: "scheduled", schedule, at },
    ]),
  id.map((sweepJobId): [string, ParsedJobId] => [jobId.swept(sweepJobId), { kind: "swept", sweepJobId }]),
);

test("every job id is parsed as what it was made of", () => {
  fc.assert(
    fc.property(made, ([text, parsed]) => {
      expect(parseJobId(text)).toEqual(parsed);
    }),
  );
});

test("no job id holds a colon or is a number, which BullMQ would refuse", () => {
  fc.assert(
    fc.property(made, ([text]) => {
      expect(text).not.toContain(":");
      expect(text).not.toMatch(/^\d+$/);
    }),
  );
});

test("colons of other names do not get into an id", () => {
  expect(jobId.swept("repeat:reconcile:1732190000000")).toBe("swept-repeat-reconcile-1732190000000");
  expect(jobId.scheduled("reconcile:other", 5)).toBe("tick-reconcile-other-5");
});
