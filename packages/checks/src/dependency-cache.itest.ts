import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { openSandboxProvider, sandboxSettingsSchema, type SandboxProvider } from "@agentswarm/sandbox";
import { openPackageRegistry, type PackageRegistry } from "../../../test/support/package-registry.ts";
import { openDependencyCache, requireMounts, type DependencyCache } from "./dependency-cache.ts";
import { PUBLIC_REGISTRY } from "./install/public-registry.ts";

const dir = mkdtempSync(join(tmpdir(), "swarm-dependencies-"));
const SCRIPT = "console.log('it ran'); require('node:fs').writeFileSync('made.txt', 'made')";

let registry: PackageRegistry;
let scoped: PackageRegistry;
let provider: SandboxProvider;
beforeAll(async () => {
  registry = await openPackageRegistry([
    {
      manifest: {
        name: "left",
        version: "1.2.3",
        dependencies: { right: "^2.0.0" },
        bin: { left: "cli.js" },
      },
      files: { "cli.js": "#!/usr/bin/env node\nconsole.log(require('right'))\n", "deep/er/x.txt": "x" },
    },
    { manifest: { name: "right", version: "2.0.1" }, files: { "index.js": "module.exports = 'right'" } },
    {
      manifest: { name: "builds", version: "1.0.0", scripts: { install: "node build.js" } },
      files: { "build.js": SCRIPT },
    },
  ]);
  scoped = await openPackageRegistry([{ manifest: { name: "@own/x", version: "3.0.0" } }], "/api/npm/");
  const settings = sandboxSettingsSchema.parse({ ...process.env, ALLOW_UNISOLATED: "true" });
  provider = await openSandboxProvider({ home: dir, swarm: "dependencies", settings });
});
beforeEach(() => {
  registry.requests.length = 0;
  registry.fails = false;
});
afterAll(async () => {
  await registry[Symbol.asyncDispose]();
  await scoped[Symbol.asyncDispose]();
  rmSync(dir, { recursive: true, force: true });
});

let opened = 0;

/** A new cache each time. */
function openCache(by: SandboxProvider = provider): DependencyCache & { readonly home: string } {
  const home = join(dir, `home-${(opened += 1)}`);
  const { PATH } = process.env;
  const env = {
    PATH,
    HOME: "/nonexistent",
    npm_config_registry: registry.url,
    "npm_config_@own:registry": scoped.url,
    [`npm_config_${scoped.url.replace("http:", "")}:_authToken`]: "the-operators-token",
  };
  const log = { debug: () => undefined, info: () => undefined };
  return { home, ...openDependencyCache({ home, provider: by, swarm: "dependencies", env, log }) };
}

const reading = (manifest: object, lock?: object) => async (path: string) => {
  if (path === "package.json") return JSON.stringify(manifest);
  return path === "package-lock.json" && lock !== undefined ? JSON.stringify(lock) : null;
};

function modulesOf(installed: Awaited<ReturnType<DependencyCache["ensure"]>>): string {
  if (installed.kind === "refused") throw new Error(installed.why);
  const [mount] = installed.mounts;
  return mount?.from ?? "";
}

test("packages are installed from the configured registry, with what they depend on and their programs", async () => {
  const cache = openCache();
  const modules = modulesOf(
    await cache.ensure(reading({ dependencies: { left: "^1.0.0" } }), { scripts: [] }),
  );
  expect(readdirSync(modules).filter((name) => !name.startsWith("."))).toEqual(["left", "right"]);
  expect(readFileSync(join(modules, "left/deep/er/x.txt"), "utf8")).toBe("x");
  const sandbox = await provider.open({
    labels: { swarm: "dependencies", purpose: "test" },
    mounts: [{ from: modules, at: "node_modules" }],
  });
  const run = await sandbox.run(["sh", "-c", "node_modules/.bin/left"]);
  await sandbox.terminate();
  expect(run).toMatchObject({ exitCode: 0, outputTail: "right\n" });
});

test("a lockfile decides the versions, wherever it says that its registry is", async () => {
  const entry = (name: string, version: string, host: string) => ({
    version,
    resolved: `${host}${name}/-/${version}.tgz`,
    integrity: registry.integrity(name),
  });
  const manifest = { name: "x", dependencies: { left: "^1.0.0" } };
  const lock = {
    lockfileVersion: 3,
    packages: {
      "": manifest,
      "node_modules/left": {
        ...entry("left", "1.2.3", PUBLIC_REGISTRY.href),
        dependencies: { right: "^2.0.0" },
      },
      "node_modules/right": entry("right", "2.0.1", registry.url),
    },
  };
  const modules = modulesOf(await openCache().ensure(reading(manifest, lock), { scripts: [] }));
  expect(existsSync(join(modules, "right/index.js"))).toBe(true);
  // The lists of versions are not asked for.
  expect(registry.requests.toSorted()).toEqual(["GET /left/-/1.2.3.tgz", "GET /right/-/2.0.1.tgz"]);
  const other = structuredClone(lock);
  other.packages["node_modules/right"].integrity = registry.integrity("left");
  const refused = await openCache().ensure(reading(manifest, other), { scripts: [] });
  expect(refused).toMatchObject({ kind: "refused", why: expect.stringContaining("EINTEGRITY") });
});

test("a scope has the registry that the operator configured for it, and its token does not enter the sandbox", async () => {
  const order: string[] = [];
  const spying: SandboxProvider = {
    ...provider,
    async open(spec) {
      const sandbox = await provider.open(spec);
      const exec: typeof sandbox.exec = (argv, options) => {
        const child = sandbox.exec(argv, options);
        const { stdin } = child;
        const write = stdin.write.bind(stdin) as (chunk: Buffer, ...rest: unknown[]) => boolean;
        stdin.write = ((chunk: Buffer, ...rest: unknown[]) => {
          order.push(chunk.toString("latin1"));
          return write(chunk, ...rest);
        }) as typeof stdin.write;
        return child;
      };
      return { ...sandbox, exec };
    },
  };
  const manifest = { dependencies: { "@own/x": "3.0.0", right: "*" } };
  const modules = modulesOf(await openCache(spying).ensure(reading(manifest), { scripts: [] }));
  expect(existsSync(join(modules, "@own/x/package.json"))).toBe(true);
  expect(scoped.authorizations).toContain("Bearer the-operators-token");
  expect(registry.authorizations).not.toContain("Bearer the-operators-token");
  expect(order.join("")).toContain("@own:registry=");
  expect(order.join("")).not.toContain("the-operators-token");
});

test("an install script runs only for a package that the trunk allows, and inside the sandbox", async () => {
  const read = reading({ dependencies: { builds: "1.0.0" } });
  const cache = openCache();
  const without = modulesOf(await cache.ensure(read, { scripts: [] }));
  expect(existsSync(join(without, "builds/made.txt"))).toBe(false);
  const other = modulesOf(await cache.ensure(read, { scripts: ["left"] }));
  expect(existsSync(join(other, "builds/made.txt"))).toBe(false);
  const made = modulesOf(await cache.ensure(read, { scripts: ["builds"] }));
  expect(readFileSync(join(made, "builds/made.txt"), "utf8")).toBe("made");
});

test("what is installed once is not installed again, and another set of packages has another folder", async () => {
  const cache = openCache();
  const first = await cache.ensure(reading({ dependencies: { right: "*" } }), { scripts: [] });
  const asked = registry.requests.length;
  const again = reading({ name: "x", scripts: { test: "true" }, dependencies: { right: "*" } });
  expect(await cache.ensure(again, { scripts: [] })).toEqual(first);
  expect(registry.requests).toHaveLength(asked);
  const other = await cache.ensure(reading({ dependencies: { right: "^2.0.0" } }), { scripts: [] });
  expect(modulesOf(other)).not.toBe(modulesOf(first));
});

test("what a manifest causes is a refusal with npm's words", async () => {
  const refusalOf = async (manifest: object) => {
    const installed = await openCache().ensure(reading(manifest), { scripts: [] });
    return installed.kind === "refused" ? installed.why : "it was installed";
  };
  expect(await refusalOf({ dependencies: { nothing: "1.0.0" } })).toContain("E404");
  expect(await refusalOf({ dependencies: { left: "9.9.9" } })).toContain("ETARGET");
  expect(await refusalOf({ dependencies: "x" })).toContain("package.json");
  const deep = `{"dependencies":{"a":"1"},"overrides":${'{"a":'.repeat(50_000)}1${"}".repeat(50_000)}}`;
  const nested = await openCache().ensure(async () => deep, { scripts: [] });
  expect(nested).toMatchObject({ kind: "refused", why: expect.stringContaining("nests more than") });
  const invalid = await openCache().ensure(async () => "<<<<<<< ours", { scripts: [] });
  expect(invalid).toMatchObject({ kind: "refused", why: expect.stringContaining("package.json is no JSON") });
});

test("what npm refuses is not tried again at once, and is the operator's where the trunk asks for it", async () => {
  const cache = openCache();
  const read = reading({ dependencies: { nothing: "1.0.0" } });
  const refused = await cache.ensure(read, { scripts: [] });
  const asked = registry.requests.length;
  expect(await cache.ensure(read, { scripts: [] })).toEqual(refused);
  expect(registry.requests).toHaveLength(asked);
  const fault = { code: "target.invalid", source: "operator", message: expect.stringContaining("E404") };
  expect(() => requireMounts(refused)).toThrow(expect.objectContaining(fault));
});

test("a registry that fails is a retryable fault and not a refusal", async () => {
  registry.fails = true;
  const installed = openCache().ensure(reading({ dependencies: { left: "1.2.3" } }), { scripts: [] });
  await expect(installed).rejects.toMatchObject({ code: "registry.unreachable", retryable: true });
});

test("no failed installation leaves a folder behind", async () => {
  const cache = openCache();
  await cache.ensure(reading({ dependencies: { nothing: "1.0.0" } }), { scripts: [] });
  expect(readdirSync(join(cache.home, "deps"))).toEqual([]);
});

test("dependencies that nobody used for a time are removed, and those in use stay", async () => {
  const cache = openCache();
  const installed = await cache.ensure(reading({ dependencies: { right: "*" } }), { scripts: [] });
  const usedLast = dirname(modulesOf(installed));
  const beside = (name: string, days: number) => {
    const folder = join(dirname(usedLast), name);
    mkdirSync(join(folder, "node_modules"), { recursive: true });
    const then = Date.now() / 1_000 - days * 86_400;
    utimesSync(folder, then, then);
    return folder;
  };
  const old = beside("a".repeat(32), 31);
  const young = beside("b".repeat(32), 29);
  const unfinished = beside(`${"c".repeat(32)}.${randomUUID()}`, 2);
  utimesSync(usedLast, 1, 1);
  expect(await cache.removeUnused(Date.now() - 30 * 86_400_000)).toBe(1);
  const folders = [old, young, unfinished, usedLast];
  expect(folders.map((folder) => existsSync(folder))).toEqual([false, true, false, true]);
});
