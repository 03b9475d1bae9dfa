import { expect, test } from "vitest";
import type { CheckResult } from "@agentswarm/contracts";
import { decideTrunkState } from "./trunk-state.ts";

const head = "a".repeat(40);
const result = (exitCode: number): CheckResult => ({
  command: "npm test",
  exitCode,
  durationMs: 1,
  outputTail: "one\n\ntwo\n  npm error audit endpoint returned an error\n",
});
const facts = {
  head,
  results: [result(0), result(1)],
  isUntouched: true,
  isChecked: true,
  redTrunk: "hold",
} as const;

test("a trunk that is red before any change is held, with the end of the check's output", () => {
  const { hold } = decideTrunkState(facts);
  expect(hold).toContain(
    "the trunk's own check `npm test` fails here before any change: one | two | npm error",
  );
  expect(hold).toContain("RED_TRUNK=work");
});

test("a green trunk, one that the swarm has changed, and RED_TRUNK=work are not held", () => {
  for (const change of [{ results: [result(0)] }, { isUntouched: false }, { redTrunk: "work" as const }])
    expect(decideTrunkState({ ...facts, ...change })).toEqual({ head, hold: null, unchecked: null });
});

test("a target without checks says so", () => {
  const { unchecked } = decideTrunkState({ ...facts, results: [], isChecked: false });
  expect(unchecked).toContain("the target has no checks");
});
