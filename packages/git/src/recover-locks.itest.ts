import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { git } from "../../../test/support/string-kit.ts";
import { makeCommits } from "../testing/make-commits.ts";
import { LOCKS_STALE_AFTER_MS, recoverLocks } from "./recover-locks.ts";

let parent: string;
let dir: string;
let commit: string;
beforeAll(() => {
  parent = mkdtempSync(join(tmpdir(), "swarm-locks-"));
  dir = join(parent, "repository.git");
  git(parent, "init", "-q", "--bare", "-b", "main", dir);
  [commit = ""] = makeCommits(dir, [{ files: { a: { mode: "100644", content: "a" } } }]);
});
afterAll(() => rmSync(parent, { recursive: true, force: true }));

function leave(name: string, secondsOld: number): string {
  const path = join(dir, name);
  writeFileSync(path, "");
  const then = Date.now() / 1_000 - secondsOld;
  utimesSync(path, then, then);
  return path;
}

/** Git's stderr; empty when git succeeds. */
const errorsOf = (args: readonly string[]) => {
  const { status, stderr } = spawnSync("git", args, { cwd: dir, encoding: "utf8" });
  return status === 0 ? "" : stderr;
};

// Fault 20: a stale lock.
test.each<[string, string[]]>([
  ["refs/heads/main.lock", ["update-ref", "-d", "refs/heads/main"]],
  ["packed-refs.lock", ["pack-refs", "--all"]],
  ["packed-refs.new", ["pack-refs", "--all"]],
  ["config.lock", ["config", "swarm.test", "x"]],
  ["index.lock", ["read-tree", "refs/heads/main"]],
  ["HEAD.lock", ["symbolic-ref", "HEAD", "refs/heads/main"]],
])("%s, left by a killed git, fails git until it is removed", async (name, args) => {
  git(dir, "update-ref", "refs/heads/main", commit);
  const left = leave(name, 0);
  expect(errorsOf(args)).toContain("File exists");
  expect(await recoverLocks(dir)).toEqual([name]);
  expect(existsSync(left)).toBe(false);
  expect(errorsOf(args)).toBe("");
});

test("with an age, only older locks are removed", async () => {
  const [old, young] = [
    leave("refs/heads/old.lock", LOCKS_STALE_AFTER_MS / 1_000 + 60),
    leave("index.lock", LOCKS_STALE_AFTER_MS / 1_000 - 30),
  ];
  expect(await recoverLocks(dir, LOCKS_STALE_AFTER_MS)).toEqual(["refs/heads/old.lock"]);
  expect([existsSync(old), existsSync(young)]).toEqual([false, true]);
  expect(await recoverLocks(dir)).toEqual(["index.lock"]);
});

test("refs, objects and a folder named like a lock are not touched", async () => {
  git(dir, "update-ref", "refs/heads/main", commit);
  mkdirSync(join(dir, "folder.lock"));
  expect(await recoverLocks(dir)).toEqual([]);
  expect(existsSync(join(dir, "folder.lock"))).toBe(true);
  expect(git(dir, "rev-parse", "main")).toBe(commit);
  expect(git(dir, "fsck", "--strict")).toBe("");
});

test("in a folder that does not exist nothing is removed", async () => {
  expect(await recoverLocks(join(parent, "nowhere"))).toEqual([]);
});
