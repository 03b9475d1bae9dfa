import { execFile } from "node:child_process";
import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";

/** A folder with the bootstrap, whose `npm` takes half a second and says when it begins and ends. */
const NPM = `#!/bin/sh
echo begin >> npm.log; sleep 0.5; mkdir -p node_modules; echo end >> npm.log
`;
let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "swarm-install-"));
  await mkdir(join(dir, "tools/bootstrap"), { recursive: true });
  await mkdir(join(dir, "bin"));
  await copyFile(join(import.meta.dirname, "install.mjs"), join(dir, "tools/bootstrap/install.mjs"));
  await writeFile(join(dir, "package-lock.json"), "{}");
  await writeFile(join(dir, "bin/npm"), NPM);
  await chmod(join(dir, "bin/npm"), 0o755);
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const install = () =>
  promisify(execFile)(
    process.execPath,
    [
      "--input-type=module",
      "-e",
      `(await import("${join(dir, "tools/bootstrap/install.mjs")}")).ensureInstalled()`,
    ],
    { cwd: dir, env: { PATH: [join(dir, "bin"), process.env["PATH"]].join(delimiter) } },
  );
const npmRuns = async () => (await readFile(join(dir, "npm.log"), "utf8")).trim().split("\n");

test("commands that are started at once install the dependencies once", async () => {
  const ends = await Promise.all([install(), install(), install()]);
  expect(await npmRuns()).toEqual(["begin", "end"]);
  expect(ends.filter(({ stderr }) => stderr.includes("Installing dependencies"))).toHaveLength(1);
});

test("a lock of a process that was killed stops nobody", async () => {
  const { stdout } = await promisify(execFile)("sh", ["-c", "echo $$"]);
  await writeFile(join(dir, ".install.lock"), stdout.trim());
  await install();
  expect(await npmRuns()).toEqual(["begin", "end"]);
});
