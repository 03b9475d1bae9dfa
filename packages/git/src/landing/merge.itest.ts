import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { fork, type Fork } from "../../testing/histories.ts";
import { makeCommits } from "../../testing/make-commits.ts";
import { mergeByGit } from "./merge-by-git.ts";
import { mergePlain } from "./merge-plain.ts";
import { openObjects, type Objects } from "../objects/objects.ts";

const RUNS = Number(process.env["MERGE_RUNS"] ?? 250);

let dir: string;
let objects: Objects;

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "swarm-merge-"));
  git("init", "-q", "--bare", "-b", "main");
  objects = openObjects(dir);
});
afterAll(() => {
  objects[Symbol.dispose]();
  rmSync(dir, { recursive: true, force: true });
});

function git(...args: string[]): string {
  return execFileSync("git", args, { cwd: dir, encoding: "utf8" }).trimEnd();
}

/** Git's own result: the tree, or the paths in conflict. Null when this version of git fails. */
function askGit(ours: string, theirs: string): { tree: string } | { paths: string[] } | null {
  const args = ["merge-tree", "--write-tree", "-z", "--no-messages", ours, theirs];
  const { status, stdout } = spawnSync("git", args, { cwd: dir, encoding: "utf8" });
  const [tree = "", ...records] = stdout.split("\0");
  if (status === 0) return { tree };
  if (status !== 1) return null;
  const paths = records.flatMap((record) => record.split("\t")[1] ?? []);
  return { paths: [...new Set(paths.map((path) => path.replace(/~[0-9a-f]{40}/, "")))].toSorted() };
}

async function trees(sides: Fork): Promise<{ commits: string[]; ids: [string, string, string] }> {
  const commits = makeCommits(dir, [
    { files: sides.base },
    { files: sides.ours, parent: 0 },
    { files: sides.theirs, parent: 0 },
  ]);
  const ids = await Promise.all(commits.map(async (id) => (await objects.commit(id)).tree));
  return { commits, ids: ids as [string, string, string] };
}

test("merging by ids gives git's own tree or conflicts, or leaves the merge to git", async () => {
  const seen = { merged: 0, conflict: 0, "not-plain": 0 };
  await fc.assert(
    fc.asyncProperty(fork, async (sides) => {
      const { commits, ids } = await trees(sides);
      const expected = askGit(commits[1] as string, commits[2] as string);
      if (expected === null) return;
      const plain = await mergePlain(objects, ...ids);
      seen[plain.kind] += 1;
      if (plain.kind === "merged") expect({ tree: plain.tree }).toEqual(expected);
      if (plain.kind === "conflict") {
        const paths = plain.paths.map((one) => one.path).toSorted();
        expect({ paths }).toEqual(expected);
      }
    }),
    { numRuns: RUNS },
  );
  // Without these the test would pass if everything were left to git.
  expect(seen.merged).toBeGreaterThan(RUNS / 4);
  expect(seen.conflict).toBeGreaterThan(0);
});

test("trees that are left to git get git's own tree or conflicts", async () => {
  await fc.assert(
    fc.asyncProperty(fork, async (sides) => {
      const { commits, ids } = await trees(sides);
      const expected = askGit(commits[1] as string, commits[2] as string);
      if (expected === null) return;
      const merged = await mergeByGit(objects, ...ids);
      if (merged.kind === "merged") expect({ tree: merged.tree }).toEqual(expected);
      else expect({ paths: merged.paths.map((one) => one.path).toSorted() }).toEqual(expected);
    }),
    { numRuns: RUNS / 10 },
  );
});
