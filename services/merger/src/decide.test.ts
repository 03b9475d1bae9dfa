import { expect, test } from "vitest";
import { decideHold } from "./decide.ts";

const facts = {
  changed: ["src/a.ts"],
  deleted: [],
  protectedPaths: [],
  scriptsBefore: "{}",
  scriptsAfter: "{}",
};

test("ordinary work is not held", () => {
  expect(decideHold(facts)).toBeNull();
});

test("protected paths, deleted tests and changed scripts are", () => {
  expect(decideHold({ ...facts, changed: [".github/workflows/ci.yml"] })).toContain(
    ".github/workflows/ci.yml",
  );
  expect(decideHold({ ...facts, changed: ["swarm.json"] })).toContain("swarm.json");
  expect(decideHold({ ...facts, protectedPaths: ["checks/**"], changed: ["checks/a.ts"] })).toContain(
    "checks/a.ts",
  );
  expect(decideHold({ ...facts, deleted: ["src/a.test.ts"] })).toContain("deletes tests");
  expect(decideHold({ ...facts, scriptsAfter: '{"test":"true"}' })).toContain("scripts");
});
