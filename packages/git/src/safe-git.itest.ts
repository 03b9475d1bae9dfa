import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { git } from "../../../test/support/string-kit.ts";
import { makeCommits } from "../testing/make-commits.ts";
import { safeGit } from "./safe-git.ts";

const dir = mkdtempSync(join(tmpdir(), "swarm-safe-git-"));
const repository = join(dir, "repository.git");
const kept = { PATH: process.env["PATH"], GIT_SSH_COMMAND: process.env["GIT_SSH_COMMAND"] };

beforeAll(() => void git(dir, "init", "-q", "--bare", "-b", "main", repository));
afterEach(() => {
  for (const [name, value] of Object.entries(kept)) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** Puts a program called git before the real one. */
function standIn(script: string): void {
  const bin = mkdtempSync(join(dir, "bin-"));
  writeFileSync(join(bin, "git"), `#!/bin/sh\n${script}\n`);
  chmodSync(join(bin, "git"), 0o755);
  process.env["PATH"] = `${bin}:${kept.PATH}`;
}

const version = (options: { timeoutMs?: number; signal?: AbortSignal } = {}) =>
  safeGit({ cwd: repository, ...options }, (one) => one.raw(["version"]));

test("git gets our settings and only the environment that it needs", async () => {
  process.env["GIT_DIR"] = "/nowhere";
  process.env["GIT_SSH_COMMAND"] = "ssh -F none";
  standIn('echo "$@"; env');
  const { value } = await version().finally(() => delete process.env["GIT_DIR"]);
  expect(value).toMatch(
    /^-c core\.hooksPath=\/dev\/null -c core\.fsmonitor=false -c protocol\.ext\.allow=never /,
  );
  expect(value).toContain("GIT_CONFIG_NOSYSTEM=1");
  expect(value).toContain("GIT_SSH_COMMAND=ssh -F none");
  expect(value).not.toContain("GIT_DIR");
});

test.each([
  ["a command as transport", ["-c", "core.sshCommand=touch x", "ls-remote", "."]],
  ["a pager", ["-c", "core.pager=touch x", "log"]],
  ["a program at the other end", ["fetch", "--upload-pack=touch x", "--", "."]],
  ["another repository", ["--git-dir=/tmp", "log"]],
])("%s among the arguments is refused before git starts", async (_what, args) => {
  standIn("touch started");
  await expect(safeGit({ cwd: repository }, (one) => one.raw(args))).rejects.toMatchObject({
    code: "git.failed",
    message: expect.stringContaining("not permitted") as string,
    retryable: false,
  });
  expect(existsSync(join(repository, "started"))).toBe(false);
});

test("a hook of the repository does not run", async () => {
  const [commit = ""] = makeCommits(repository, [{ files: { a: { mode: "100644", content: "a" } } }]);
  git(repository, "update-ref", "refs/heads/main", commit);
  const hooks = join(repository, "hooks");
  mkdirSync(hooks, { recursive: true });
  writeFileSync(join(hooks, "reference-transaction"), "#!/bin/sh\ntouch hooked\n");
  chmodSync(join(hooks, "reference-transaction"), 0o755);
  const args = ["--verbose", "--", repository, "main:refs/heads/copy"];
  await safeGit({ cwd: repository }, (one) => one.fetch(args));
  expect(git(repository, "rev-parse", "copy")).toBe(commit);
  expect(existsSync(join(repository, "hooked"))).toBe(false);
  git(repository, "update-ref", "refs/heads/other", commit);
  expect(existsSync(join(repository, "hooked")), "by a git that runs hooks").toBe(true);
  rmSync(hooks, { recursive: true });
});

test("an exit code is a failure that no retry helps, unless the caller takes it for an answer", async () => {
  standIn("echo out; echo bad object >&2; exit 3");
  await expect(version()).rejects.toMatchObject({
    code: "git.failed",
    message: "git version (3): bad object",
    retryable: false,
  });
  const answer = await safeGit({ cwd: repository, answers: [3] }, (one) => one.raw(["version"]));
  expect(answer).toEqual({ value: "out\n", exitCode: 3, stderr: "bad object\n" });
});

test.each([
  ["a full disk", "echo 'error: file write: No space left on device' >&2; exit 128", "disk.full"],
  ["a kill by something else", "kill -9 $$", "git.failed"],
])("%s can be retried", async (_what, script, code) => {
  standIn(script);
  await expect(version()).rejects.toMatchObject({ code, retryable: true });
});

test("a failure without any output is a failure", async () => {
  standIn("exit 1");
  await expect(version()).rejects.toMatchObject({ message: "git version (1): no output" });
});

test("a git that is not installed, and a folder that does not exist, can be retried", async () => {
  process.env["PATH"] = join(dir, "empty");
  await expect(version()).rejects.toMatchObject({ code: "git.failed", retryable: true });
  const nowhere = join(dir, "nowhere");
  await expect(safeGit({ cwd: nowhere }, (one) => one.raw(["version"]))).rejects.toMatchObject({
    message: `git: ${nowhere} does not exist`,
    retryable: true,
  });
});

test("the deadline ends git even while it writes", async () => {
  standIn("while true; do echo more; sleep 0.02; done");
  const from = performance.now();
  await expect(version({ timeoutMs: 300 })).rejects.toMatchObject({ code: "git.failed", retryable: false });
  expect(performance.now() - from).toBeLessThan(5_000);
});

test("an abort ends a git that runs, and keeps one from starting", async () => {
  standIn("touch started; exec sleep 30");
  const abort = new AbortController();
  const running = version({ signal: abort.signal });
  await expect.poll(() => existsSync(join(repository, "started"))).toBe(true);
  abort.abort();
  await expect(running).rejects.toMatchObject({ code: "git.failed", retryable: false });
  rmSync(join(repository, "started"));
  await expect(version({ signal: abort.signal })).rejects.toMatchObject({ retryable: false });
  expect(existsSync(join(repository, "started"))).toBe(false);
});
