import { expect, test } from "vitest";
import { decideGreen } from "./decide-green.ts";

const passed = { command: "true", exitCode: 0, durationMs: 1, outputTail: "" };
const failed = { ...passed, exitCode: 1 };
const [a, b] = ["a".repeat(40), "b".repeat(40)];

test("the first green head becomes green", () => {
  const facts = { head: a, green: null, greenIsOnTrunk: false, results: [passed] };
  expect(decideGreen(facts)).toEqual({ outcome: "green", move: "forward" });
});

test("one failed check keeps green where it is", () => {
  const facts = { head: b, green: a, greenIsOnTrunk: true, results: [passed, failed] };
  expect(decideGreen(facts)).toEqual({ outcome: "red", move: "none" });
});

test("a check killed at its time limit is red", () => {
  const facts = { head: b, green: a, greenIsOnTrunk: true, results: [{ ...passed, exitCode: -1 }] };
  expect(decideGreen(facts).outcome).toBe("red");
});

test("a green that the trunk's history lacks is rebased to a head that passed, and to no other", () => {
  const facts = { head: b, green: a, greenIsOnTrunk: false };
  expect(decideGreen({ ...facts, results: [passed] })).toEqual({ outcome: "green", move: "rebase" });
  expect(decideGreen({ ...facts, results: [failed] })).toEqual({ outcome: "red", move: "none" });
});

test("green does not move when the head is green already", () => {
  const facts = { head: a, green: a, greenIsOnTrunk: true, results: [passed] };
  expect(decideGreen(facts).move).toBe("none");
});
