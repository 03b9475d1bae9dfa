import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { runGit } from "./run-git.ts";

const MIB = 1024 * 1024;
const limits = { memoryBytes: 64 * MIB, cpuSeconds: 1 };
const path = process.env["PATH"];
let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "swarm-limits-"));
});
afterEach(() => {
  process.env["PATH"] = path;
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** Puts a program called git before the real one. */
function standIn(script: string): void {
  writeFileSync(join(dir, "git"), `#!/bin/sh\n${script}\n`);
  chmodSync(join(dir, "git"), 0o755);
  process.env["PATH"] = `${dir}:${path}`;
}

const refused = (message: string) => ({ code: "git.refused", retryable: false, message });

test("git gets its arguments and limits as they are", async () => {
  standIn('echo "$#: $1"; ulimit -S -d; ulimit -S -t; shift $(($# - 2)); echo "$1,$2"');
  const { stdout } = await runGit(["a b", "$c"], { cwd: dir, limits });
  expect(stdout).toMatch(/^\d+: -c\n65536\n1\na b,\$c\n$/);
});

test.each([
  ["CPU time", "while :; do :; done", "git log needs more than 1 s of CPU time (limit)"],
  [
    "memory",
    "echo 'fatal: Out of memory, malloc failed (tried to allocate 9 bytes)' >&2; exit 128",
    "git log needs more than 64 MiB of memory (limit)",
  ],
  ["a crash", "kill -SEGV $$", "git log needs more than 64 MiB of memory (limit)"],
])("an overrun of %s is refused, not retried", async (_what, script, message) => {
  standIn(script);
  await expect(runGit(["log"], { cwd: dir, limits })).rejects.toMatchObject(refused(message));
});

test("too much output, and too long a time, are refused", async () => {
  standIn("while :; do echo more; sleep 0.01; done");
  await expect(runGit(["log"], { cwd: dir, limits, maxBytes: 10 })).rejects.toMatchObject(
    refused("git log writes more than 10 bytes of output (limit)"),
  );
  await expect(runGit(["log"], { cwd: dir, limits, timeoutMs: 200 })).rejects.toMatchObject(
    refused("git log needs more than 0.2 s (limit)"),
  );
});

test("a command that the caller cancels is not refused", async () => {
  standIn("exec sleep 30");
  const signal = AbortSignal.timeout(100);
  await expect(runGit(["log"], { cwd: dir, limits, signal })).rejects.toMatchObject({
    code: "git.failed",
    retryable: false,
  });
});

test.each([
  ["a kill by the machine", "kill -9 $$", "git.failed"],
  ["a full disk", "echo 'error: file write: No space left on device' >&2; exit 128", "disk.full"],
])("%s is retried, also under limits", async (_what, script, code) => {
  standIn(script);
  await expect(runGit(["log"], { cwd: dir, limits })).rejects.toMatchObject({ code, retryable: true });
});
