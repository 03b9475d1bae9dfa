import { describe, expect, test } from "vitest";
import { parseLock, parseManifest } from "./dependency-files.ts";
import { PUBLIC_REGISTRY } from "./public-registry.ts";
import { refuseSources } from "./refuse-sources.ts";

const HOSTS = new Set(["npm.example.com"]);

function refused(manifest: object, lock: object | null = null): string | null {
  const parsed = parseManifest(JSON.stringify(manifest));
  const parsedLock = lock === null ? null : parseLock(JSON.stringify(lock));
  if (parsed.kind === "refused") throw new Error(parsed.why);
  if (parsedLock?.kind === "refused") throw new Error(parsedLock.why);
  return refuseSources(parsed.value, parsedLock?.value ?? null, HOSTS);
}

describe("a manifest", () => {
  test.each([
    "1.2.3",
    "^1.2.3",
    "~1.2",
    ">=1.0.0 <2.0.0",
    "1.x || >=2.5.0",
    "1.0.0 - 2.0.0",
    "*",
    "",
    "latest",
    "next-13",
    "1.0.0-beta.1+build.5",
    "npm:other@^1.0.0",
    "npm:@scope/other@1",
    "npm:other",
  ])("may ask for %j", (spec) => {
    expect(refused({ dependencies: { a: spec } })).toBeNull();
  });

  test.each([
    "git://host/x.git",
    "git+https://host/x.git#main",
    "git+ssh://git@host/x.git",
    "git+file:///var/lib/swarm/store.git#abc::path:tools/evil",
    "git@github.com:evil/x.git",
    "ssh://git@host/x",
    "github:evil/x",
    "gitlab:evil/x",
    "gist:11081aaa281",
    "evil/x",
    "evil/x#semver:^1",
    "https://host/x.tgz",
    "http://169.254.169.254/latest/meta-data/x.tgz",
    "file:../x",
    "file:/etc/x.tgz",
    "link:../x",
    "portal:../x",
    "workspace:*",
    "./x",
    "../x",
    "/x",
    "~/x",
    ".",
    "..",
    "x.tgz",
    "x.tar.gz",
    "C:\\x",
    "npm:github:evil/x",
    "npm:other@git+https://host/x",
    "npm:other@npm:evil@1",
    "npm:../x",
  ])("is refused for %j, which the reason names", (spec) => {
    for (const field of ["dependencies", "devDependencies", "optionalDependencies", "peerDependencies"])
      expect(refused({ [field]: { a: spec } })).toContain(`a@${spec}`);
    expect(refused({ overrides: { a: spec } })).toContain(spec);
    expect(refused({ overrides: { a: { b: { ".": spec } } } })).toContain(spec);
  });

  test("may override with a direct dependency's range", () => {
    expect(refused({ dependencies: { a: "1.0.0" }, overrides: { b: { a: "$a" } } })).toBeNull();
  });

  test("is refused for a package name that is a path", () => {
    expect(refused({ dependencies: { "../x": "1.0.0" } })).toContain("../x@1.0.0");
  });

  test.each(["../other", "/etc", "packages/../../x", "~/x", "{a,../b}"])(
    "is refused for the workspace %j outside the tree",
    (glob) => {
      expect(refused({ workspaces: [glob] })).toContain(glob);
      expect(refused({ workspaces: { packages: [glob] } })).toContain(glob);
    },
  );

  test("may have workspaces in the tree", () => {
    expect(refused({ workspaces: ["packages/*", "!packages/x"] })).toBeNull();
  });
});

describe("a lockfile", () => {
  const entry = (fields: object, path = "node_modules/a") =>
    refused({}, { packages: { "": {}, [path]: fields } });

  test.each([
    "https://npm.example.com/a/-/a-1.0.0.tgz",
    new URL("/a/-/a-1.0.0.tgz", PUBLIC_REGISTRY).href,
    "http://npm.example.com/mirror/a/-/a-1.0.0.tgz",
  ])("may name %s", (resolved) => {
    expect(entry({ version: "1.0.0", resolved })).toBeNull();
    expect(refused({}, { dependencies: { a: { version: "1.0.0", resolved } } })).toBeNull();
  });

  test.each([
    "http://169.254.169.254/latest/meta-data/a/x.tgz",
    "https://npm.example.com.evil.com/a/-/a.tgz",
    "https://npm.example.com:8443/a/-/a.tgz",
    "https://user:secret@npm.example.com/a/-/a.tgz",
    "git+ssh://git@github.com/evil/a.git#0123",
    "file:../a.tgz",
    "../a",
    new URL("/evil/-/evil-1.0.0.tgz", PUBLIC_REGISTRY).href,
  ])("is refused for %s", (resolved) => {
    expect(entry({ version: "1.0.0", resolved })).toContain(resolved);
    expect(
      refused({}, { dependencies: { b: { dependencies: { a: { version: "1.0.0", resolved } } } } }),
    ).toContain(resolved);
  });

  test("of version 1 is refused for an address as a version", () => {
    const version = "git+https://github.com/evil/a.git#0123";
    expect(refused({}, { dependencies: { a: { version } } })).toContain(version);
  });

  test("may link to a workspace in the tree, and to nothing else", () => {
    expect(entry({ link: true, resolved: "packages/a" })).toBeNull();
    for (const resolved of ["../a", "/etc", "packages/../../a"])
      expect(entry({ link: true, resolved })).toContain(resolved);
  });

  test("is refused for a dependency of a dependency that is no registry's", () => {
    expect(entry({ dependencies: { b: "git+https://host/b" } })).toContain("b@git+https://host/b");
    expect(entry({ dependencies: { b: ">=1.0.0, <2" } })).toBeNull();
  });

  test("may list an alias under its own name", () => {
    const resolved = "https://npm.example.com/@s/real/-/real-1.0.0.tgz";
    expect(entry({ name: "@s/real", version: "1.0.0", resolved })).toBeNull();
    expect(
      entry({ name: "@s/real", version: "1.0.0", resolved: resolved.replace("@s/", "@s%2f") }),
    ).toBeNull();
  });
});
