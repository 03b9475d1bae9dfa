import { expect, test } from "vitest";
import { decideDependencyChanges } from "./dependency-changes.ts";

const json = JSON.stringify;
const manifest = (before: object | null, after: object | null, path = "package.json") => ({
  path,
  before: before === null ? null : json(before),
  after: after === null ? null : json(after),
});
const lock = (before: object, after: object) =>
  manifest({ packages: before }, { packages: after }, "package-lock.json");
const held = (files: Parameters<typeof decideDependencyChanges>[0], allow: string[] = []) =>
  decideDependencyChanges(files, allow).held;

test("a new package is held with its name and range", () => {
  const change = manifest({ dependencies: { a: "^1.0.0" } }, { dependencies: { a: "^1.0.0", b: "^2.0.0" } });
  expect(held([change])).toBe("the attempt changes dependencies: b@^2.0.0");
});

test.each([
  ["another range", { dependencies: { a: "^2.0.0" } }, "a@^2.0.0"],
  ["a development dependency", { devDependencies: { b: "*" } }, "b@*"],
  ["an optional dependency", { optionalDependencies: { b: "*" } }, "b@*"],
  ["a peer dependency", { peerDependencies: { b: "*" } }, "b@*"],
  ["an override", { overrides: { c: "1.0.0" } }, 'the override c: "1.0.0"'],
  ["workspaces", { workspaces: ["packages/*"] }, 'the workspaces ["packages/*"]'],
])("%s is held", (_name, after, named) => {
  expect(held([manifest({ dependencies: { a: "^1.0.0" } }, after)])).toContain(named);
});

test("a manifest in a folder is held as well", () => {
  expect(held([manifest(null, { dependencies: { b: "1.0.0" } }, "packages/x/package.json")])).toContain(
    "b@1.0.0",
  );
});

test("a change of other fields, and the removal of a package, is not held", () => {
  const before = { version: "1.0.0", dependencies: { a: "1.0.0", b: "1.0.0" } };
  expect(held([manifest(before, { version: "2.0.0", dependencies: { a: "1.0.0" } })])).toBeNull();
  expect(held([manifest(before, null)])).toBeNull();
});

test("packages that the trunk allows are not held, with the lockfile that lists them", () => {
  const files = [
    manifest({}, { dependencies: { b: "^2.0.0" } }),
    lock(
      {},
      { "node_modules/b": { version: "2.0.1" }, "node_modules/b/node_modules/@s/c": { version: "1.0.0" } },
    ),
  ];
  expect(decideDependencyChanges(files, ["b", "@s/c"])).toEqual({
    held: null,
    packages: [],
    allowed: ["package-lock.json"],
  });
  expect(decideDependencyChanges(files, ["b"])).toEqual({
    held: "the attempt changes dependencies: @s/c@1.0.0",
    packages: ["@s/c"],
    allowed: [],
  });
});

test("the name of an allowed package does not allow another source or another package", () => {
  const adding = (spec: string) => manifest({}, { dependencies: { b: spec } });
  for (const spec of [
    "github:evil/b",
    "git+ssh://host/b",
    "https://host/b.tgz",
    "file:../b",
    "npm:evil@1.0.0",
  ])
    expect(held([adding(spec)], ["b"])).toBe(`the attempt changes dependencies: b@${spec}`);
  expect(held([adding("npm:b@1.0.0")], ["b"])).toBeNull();
});

test("a lockfile is held when a package keeps its version and changes its content or its address", () => {
  const was = { version: "1.0.0", resolved: "https://host/a/-/a.tgz", integrity: "sha512-a" };
  const changed = (entry: object) =>
    held([lock({ "node_modules/a": was }, { "node_modules/a": { ...was, ...entry } })]);
  expect(changed({ integrity: "sha512-b" })).toContain("a@1.0.0");
  expect(changed({ resolved: "https://other/a/-/a.tgz" })).toContain("a@1.0.0");
  expect(changed({ link: true, resolved: "../x" })).toContain("a, a link to ../x");
  expect(changed({ dev: true })).toBeNull();
});

test("a lockfile that adds nothing new stays a protected path", () => {
  const files = [lock({ "node_modules/a": { version: "1.0.0" } }, {})];
  expect(decideDependencyChanges(files, [])).toEqual({ held: null, packages: [], allowed: [] });
});

test("a lockfile that cannot be read is held", () => {
  expect(held([{ path: "package-lock.json", before: null, after: "<<<" }])).toContain("cannot be read");
});
