import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openSandboxProvider, sandboxSettingsSchema } from "@agentswarm/sandbox";
import { startMerger, type Attempt } from "../../services/merger/testing/start-merger.ts";
import { openPackageRegistry, type PackageRegistry } from "../support/package-registry.ts";
import { git } from "../support/string-kit.ts";

const dir = mkdtempSync(join(tmpdir(), "swarm-c1-"));
/** Written by the attack's program wherever it runs outside a sandbox. */
const marker = join(dir, "ran");
const evil = `git+file://${join(dir, "evil")}`;

let registry: PackageRegistry;
beforeAll(async () => {
  makeEvilRepository();
  registry = await openPackageRegistry([
    { manifest: { name: "carrier", version: "1.0.0", dependencies: { evil } } },
    {
      manifest: {
        name: "scripted",
        version: "1.0.0",
        scripts: { install: "sh x.sh", postinstall: "sh x.sh" },
      },
      files: { "x.sh": `echo ran >> ${marker}\n` },
    },
  ]);
});
afterAll(async () => {
  await registry[Symbol.asyncDispose]();
  rmSync(dir, { recursive: true, force: true });
});

/** A repository whose .npmrc names the program that npm takes for git when it prepares the repository's package. */
function makeEvilRepository(): void {
  const repo = join(dir, "evil");
  mkdirSync(repo);
  const manifest = {
    name: "evil",
    version: "1.0.0",
    scripts: { prepare: "true" },
    devDependencies: { y: "git+file:///nonexistent/y.git" },
  };
  writeFileSync(join(repo, "package.json"), JSON.stringify(manifest));
  writeFileSync(join(repo, ".npmrc"), "git=./program.sh\n");
  writeFileSync(join(repo, "program.sh"), `#!/bin/sh\necho ran >> ${marker}\nexit 1\n`, { mode: 0o755 });
  git(repo, "init", "-q");
  git(repo, "add", "-A");
  git(repo, "-c", "user.name=Evil", "-c", "user.email=evil@example.com", "commit", "-q", "-m", "Evil");
}

const startWith = (install: object) =>
  startMerger({
    checks: ["true"],
    files: { "swarm.json": JSON.stringify({ checks: { gate: ["true"] }, install }) },
    env: { npm_config_registry: registry.url },
  });

/** That of the string kit: nothing but dependencies changes. */
const MANIFEST = { name: "string-kit", version: "1.0.0", type: "module", scripts: { test: "node --test" } };

const depending = (taskId: string, base: string, dependencies: object, more: object = {}): Attempt => ({
  taskId,
  base,
  files: {
    "package.json": JSON.stringify({ ...MANIFEST, dependencies }),
    ...more,
  },
});

test("an approved git dependency is refused by the gate, and its program does not run", async () => {
  await using merger = await startWith({});
  const direct = { ...depending("direct", merger.head(), { evil }), approvedBy: "a-person" };
  const carried = { ...depending("carried", merger.head(), { carrier: "1.0.0" }), approvedBy: "a-person" };
  const lock = {
    lockfileVersion: 3,
    packages: {
      "": { dependencies: { carrier: "1.0.0" } },
      "node_modules/carrier": {
        version: "1.0.0",
        resolved: `${evil}#${git(join(dir, "evil"), "rev-parse", "HEAD")}`,
      },
    },
  };
  const locked = {
    ...depending(
      "locked",
      merger.head(),
      { carrier: "1.0.0" },
      { "package-lock.json": JSON.stringify(lock) },
    ),
    approvedBy: "a-person",
  };
  const attempts = [direct, carried, locked];
  await merger.store(attempts);
  for (const attempt of attempts) {
    await merger.request([attempt]);
    const outcome = await merger.outcome(attempt.taskId);
    expect(outcome).toMatchObject({ kind: "rejected", check: "dependencies" });
  }
  expect(await merger.outcome("direct")).toMatchObject({
    outputTail: expect.stringContaining(`evil@${evil}`),
  });
  expect(existsSync(marker)).toBe(false);
  expect(merger.landed()).toEqual([]);
});

test("without approval a new dependency is held with its name and range, also if its name is allowed", async () => {
  await using merger = await startWith({ allow: ["evil"] });
  const attempt = depending("held", merger.head(), { evil });
  await merger.store([attempt]);
  await merger.request([attempt]);
  const outcome = await merger.outcome("held");
  expect(outcome).toMatchObject({ kind: "held", why: expect.stringContaining(`evil@${evil}`) });
  expect(existsSync(marker)).toBe(false);
});

test("an allowed package lands, and its install scripts do not run", async () => {
  await using merger = await startWith({ allow: ["scripted"] });
  const attempt = depending("allowed", merger.head(), { scripted: "1.0.0" });
  await merger.store([attempt]);
  await merger.request([attempt]);
  expect(await merger.outcome("allowed")).toMatchObject({ kind: "landed" });
  expect(existsSync(marker)).toBe(false);
});

test("an allowed install script runs without anything of this machine", async ({ skip }) => {
  const settings = sandboxSettingsSchema.parse({ ...process.env, ALLOW_UNISOLATED: "true" });
  const { isolation } = await openSandboxProvider({ home: join(dir, "home"), swarm: "c1", settings });
  skip(isolation === "none", "bubblewrap does not work here");
  await using merger = await startWith({ allow: ["scripted"], scripts: ["scripted"] });
  const attempt = depending("allowed", merger.head(), { scripted: "1.0.0" });
  await merger.store([attempt]);
  await merger.request([attempt]);
  // The folder of the marker is not there, so the script fails.
  expect(await merger.outcome("allowed")).toMatchObject({ kind: "rejected", check: "dependencies" });
  expect(existsSync(marker)).toBe(false);
});
