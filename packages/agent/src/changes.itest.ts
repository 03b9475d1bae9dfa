import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { git } from "../../../test/support/string-kit.ts";
import { AUTHOR, commitChanges, markersLeft, stageChanges } from "./changes.ts";

let repo: string;
let base: string;
const put = (path: string, text: string | Buffer) => writeFileSync(join(repo, path), text);

beforeEach(() => {
  repo = mkdtempSync(join(tmpdir(), "swarm-changes-"));
  git(repo, "init", "-q", "-b", "main");
  git(repo, "config", "user.name", "Seed");
  git(repo, "config", "user.email", "seed@example.com");
  put("kept.txt", "kept\n");
  put("changed.txt", "one\ntwo\n");
  put("gone.txt", "gone\n");
  put(".gitignore", "*.log\n");
  git(repo, "add", "-A");
  git(repo, "commit", "-q", "-m", "Begin");
  base = git(repo, "rev-parse", "HEAD");
});
afterEach(() => rmSync(repo, { recursive: true, force: true }));

test("new, changed, deleted and binary files are counted, ignored files are not", async () => {
  put("changed.txt", "one\n2\nthree\n");
  put("new file\twith ü.txt", "a\nb\n");
  put("image.bin", Buffer.from([0, 1, 2, 0]));
  put("noise.log", "noise\n");
  rmSync(join(repo, "gone.txt"));
  expect(await stageChanges(repo, base)).toEqual({
    files: ["changed.txt", "gone.txt", "image.bin", "new file\twith ü.txt"],
    linesAdded: 4,
    linesRemoved: 2,
    filesCreated: 2,
    filesModified: 1,
  });
});

test("the agent's own index, branch and commits stay as they are and have no effect", async () => {
  put("changed.txt", "mine\n");
  expect((await stageChanges(repo, base)).files).toEqual(["changed.txt"]);
  expect(git(repo, "status", "--porcelain")).toBe(" M changed.txt");

  git(repo, "checkout", "-q", "-b", "mine");
  git(repo, "commit", "-q", "-am", "Mine");
  put("new.txt", "new\n");
  writeFileSync(join(repo, ".git/index.lock"), "");
  expect((await stageChanges(repo, base)).files).toEqual(["changed.txt", "new.txt"]);

  const head = await commitChanges(repo, base, "Ours\0 now\n\n# no comment");
  expect(git(repo, "rev-parse", `${head}^@`)).toBe(base);
  expect(git(repo, "log", "-1", "--format=%an %ae %cn %ce", head)).toBe(
    `${AUTHOR.name} ${AUTHOR.email} ${AUTHOR.name} ${AUTHOR.email}`,
  );
  expect(git(repo, "log", "-1", "--format=%B", head).trim()).toBe("Ours now\n\n# no comment");
  expect(git(repo, "branch", "--show-current")).toBe("mine");
});

test("a reverted change is not counted", async () => {
  put("changed.txt", "mine\n");
  put("new.txt", "new\n");
  await stageChanges(repo, base);
  git(repo, "checkout", "changed.txt");
  rmSync(join(repo, "new.txt"));
  expect((await stageChanges(repo, base)).files).toEqual([]);
});

test("conflict markers are found only at the start of a line", async () => {
  mkdirSync(join(repo, "folder"));
  symlinkSync("/nowhere", join(repo, "dangling"));
  put("ours.txt", "a\n<<<<<<< HEAD\nb\n");
  put("theirs.txt", "a\r\n>>>>>>> other\r\n");
  put("title.md", "Title\n=======\n");
  put("text.md", "Write `<<<<<<< HEAD` to begin, <<<<<<<< is none\n<<<<<<<<\n");
  const files = ["ours.txt", "theirs.txt", "title.md", "text.md", "dangling", "folder", "missing.txt"];
  expect(await markersLeft(repo, files)).toEqual(["ours.txt", "theirs.txt"]);
});
