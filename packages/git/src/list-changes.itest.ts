import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { fork } from "../testing/histories.ts";
import { makeCommits } from "../testing/make-commits.ts";
import { listChanges, openLimitedReader } from "./list-changes.ts";
import type { ObjectReader } from "./objects/object-reader.ts";

let dir: string;
let reader: ObjectReader;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "swarm-changes-"));
  git("init", "-q", "--bare", "-b", "main");
  reader = openLimitedReader(dir);
});
afterAll(() => {
  reader[Symbol.dispose]();
  rmSync(dir, { recursive: true, force: true });
});

function git(...args: string[]): string {
  return execFileSync("git", args, { cwd: dir, encoding: "utf8" });
}

/** What `git diff-tree` reports for a commit against each of its parents, as "path mode blob". */
function askGit(commit: string): string[] {
  const fields = git("diff-tree", "-r", "-z", "--raw", "--no-renames", "-m", "--root", commit).split("\0");
  return fields.flatMap((field, at) => {
    const [, mode, blob] = /^:\d{6} (\d{6}) [0-9a-f]{40} ([0-9a-f]{40}) [A-Z]/.exec(field) ?? [];
    return mode === undefined ? [] : [`${fields[at + 1]} ${mode} ${blob}`];
  });
}

test("the changes found by comparing trees here are those of git diff-tree", async () => {
  await fc.assert(
    fc.asyncProperty(fork, async ({ base, ours, theirs }) => {
      const [first = "", second = "", third = ""] = makeCommits(dir, [
        { files: base },
        { files: ours, parent: 0 },
        { files: theirs, parent: 1 },
      ]);
      const lineages = [
        { commit: first, parents: [] },
        { commit: second, parents: [first] },
        { commit: third, parents: [second] },
      ];
      for (const some of [...lineages.map((one) => [one]), lineages]) {
        const found = await listChanges(reader, some);
        const expected = some.flatMap(({ commit }) => askGit(commit));
        expect(found.map(({ path, mode, blob }) => `${path} ${mode} ${blob}`).toSorted()).toEqual(
          [...new Set(expected)].toSorted(),
        );
      }
    }),
    { numRuns: Number(process.env["MERGE_RUNS"] ?? 40) },
  );
});

test("a merge is compared with each of its parents", async () => {
  const text = (content: string) => ({ mode: "100644", content });
  const [base = "", left = "", right = ""] = makeCommits(dir, [
    { files: { a: text("a") } },
    { files: { a: text("a"), l: text("l") }, parent: 0 },
    { files: { a: text("a"), r: text("r") }, parent: 0 },
  ]);
  const who = ["-c", "user.name=A", "-c", "user.email=a@example.com"];
  const merge = git(...who, "commit-tree", "-m", "m", "-p", left, "-p", right, `${left}^{tree}`).trim();
  const found = await listChanges(reader, [{ commit: merge, parents: [left, right] }]);
  expect(found.map(({ path }) => path).toSorted()).toEqual(["l", "r"]);
  expect(base).not.toBe("");
});
