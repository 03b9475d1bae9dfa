import { expect, test } from "vitest";
import { decideGreen } from "./decide-green.ts";

const passed = { command: "true", exitCode: 0, durationMs: 1, outputTail: "" };
const failed = { ...passed, exitCode: 1 };
const [a, b] = ["a".repeat(40), "b".repeat(40)];

test("the first green head becomes green", () => {
  const facts = { head: a, green: null, greenIsAncestor: false, results: [passed] };
  expect(decideGreen(facts)).toEqual({ outcome: "green", advance: true });
});

test("one failed check keeps green where it is", () => {
  const facts = { head: b, green: a, greenIsAncestor: true, results: [passed, failed] };
  expect(decideGreen(facts)).toEqual({ outcome: "red", advance: false });
});

test("a check killed at its time limit is red", () => {
  const facts = { head: b, green: a, greenIsAncestor: true, results: [{ ...passed, exitCode: -1 }] };
  expect(decideGreen(facts).outcome).toBe("red");
});

test("green does not move to a head that does not descend from it", () => {
  const facts = { head: b, green: a, greenIsAncestor: false, results: [passed] };
  expect(decideGreen(facts)).toEqual({ outcome: "green", advance: false });
});

test("green does not move when the head is green already", () => {
  const facts = { head: a, green: a, greenIsAncestor: true, results: [passed] };
  expect(decideGreen(facts).advance).toBe(false);
});
