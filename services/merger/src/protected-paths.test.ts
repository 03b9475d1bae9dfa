import { expect, test } from "vitest";
import { decideHold } from "./protected-paths.ts";

const facts = {
  changed: ["src/a.ts"],
  deleted: [],
  protectedPaths: [],
  scriptsBefore: "{}",
  scriptsAfter: "{}",
};

test("an attempt that touches nothing protected is not held", () => {
  expect(decideHold(facts)).toBeNull();
});

test("an attempt that touches protected paths, deletes tests or changes scripts is held", () => {
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
