import { expect, test } from "vitest";
import { decideHold, type ProtectionFacts } from "./protected-paths.ts";

const facts: ProtectionFacts = {
  changed: ["src/a.ts"],
  deleted: [],
  tests: [],
  manifests: [],
  settings: { protected: [], unprotected: [] },
};
const manifest = (before: object, after: object, path = "package.json") =>
  decideHold({
    ...facts,
    manifests: [{ path, before: JSON.stringify(before), after: JSON.stringify(after) }],
  });

test("an attempt that touches nothing protected is not held", () => {
  expect(decideHold(facts)).toBeNull();
});

test("an attempt is held with every reason: protected paths, deleted tests, emptied tests", () => {
  const held = decideHold({
    ...facts,
    changed: [".github/workflows/ci.yml", "swarm.json", "checks/a.ts", "src/a.ts"],
    deleted: ["src/a.test.ts"],
    tests: [{ path: "src/b.test.ts", before: "test('b', () => expect(f()).toBe(1));", after: "" }],
    settings: { protected: ["checks/**"], unprotected: [] },
  });
  expect(held).toBe(
    "the attempt changes protected paths: .github/workflows/ci.yml, swarm.json, checks/a.ts; " +
      "the attempt deletes tests: src/a.test.ts; " +
      "the attempt empties tests: src/b.test.ts has 0 test cases left of 1",
  );
});

test("swarm.json takes globs out of the protected paths, but not itself", () => {
  const settings = { protected: ["docs/**"], unprotected: ["**/tsconfig.json", "**"] };
  expect(decideHold({ ...facts, changed: ["tsconfig.json", "docs/a.md"], settings })).toBeNull();
  expect(decideHold({ ...facts, changed: ["swarm.json"], settings })).toContain("swarm.json");
});

test("fields of package.json that checks run or read are held, in any folder", () => {
  expect(manifest({ scripts: { test: "x" } }, { scripts: { test: "true" } })).toContain("changes scripts of");
  expect(manifest({}, { jest: { testMatch: [] } }, "lib/package.json")).toContain("jest of lib/package.json");
  expect(manifest({ type: "module" }, { imports: { "#a": "./b.js" } })).toContain("type, imports of");
  const unreadable = { path: "package.json", before: "{}", after: "{" };
  expect(decideHold({ ...facts, manifests: [unreadable] })).toContain("makes package.json unreadable");
});

test("a first package.json is held once, with what to do, unless swarm.json lists it as unprotected", () => {
  const first = { path: "package.json", before: null, after: '{"scripts":{"test":"node --test"}}' };
  const held = (settings = facts.settings) => decideHold({ ...facts, manifests: [first], settings });
  expect(held()).toMatch(/adds package\.json, whose scripts .* approve it once, or list "package\.json"/);
  expect(held({ protected: [], unprotected: ["package.json"] })).toBeNull();
  // A later change of its scripts is held all the same.
  const later = { ...first, before: "{}" };
  const settings = { protected: [], unprotected: ["package.json"] };
  expect(decideHold({ ...facts, manifests: [later], settings })).toContain("changes scripts of package.json");
});

test("descriptive fields of package.json are not held", () => {
  expect(
    manifest({ version: "1.0.0" }, { version: "1.1.0", description: "New", exports: "./b.js" }),
  ).toBeNull();
});
