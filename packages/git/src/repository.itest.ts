import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { commitFiles } from "../../../test/support/commit-files.ts";
import { git, makeStringKit } from "../../../test/support/string-kit.ts";
import { openRepository, type Repository } from "./repository.ts";

const dir = mkdtempSync(join(tmpdir(), "swarm-repository-"));
let origin: string;
let repository: Repository;
let commits: string[];

beforeAll(() => {
  origin = makeStringKit(dir);
  commits = ["one", "two", "three"].map((name) => {
    const base = git(origin, "rev-parse", "main");
    commitFiles(origin, [{ ref: "refs/heads/main", base, files: { [`src/${name}.js`]: `// ${name}\n` } }]);
    return git(origin, "rev-parse", "main");
  });
  repository = openRepository({ dir: origin, url: origin, trunk: "main", branches: "refs/heads" });
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

test("a history has all of the commits before its head, and none that came later", async () => {
  const [first = "", second = "", third = ""] = commits;
  expect(await repository.hasAll(third, [first, second, third])).toBe(true);
  expect(await repository.hasAll(second, [first, third])).toBe(false);
  expect(await repository.hasAll(second, [])).toBe(true);
});

test("a commit that the repository lacks is in no history, and a history that it lacks has none", async () => {
  const [first = "", second = ""] = commits;
  const lacking = "f".repeat(40);
  expect(await repository.hasAll(second, [first, lacking])).toBe(false);
  expect(await repository.isAncestor(lacking, second)).toBe(false);
  expect(await repository.hasAll(lacking, [first])).toBe(false);
  await expect(repository.isAncestor(first, lacking)).rejects.toThrow(/git merge-base/);
});

test("changes are listed per commit, in the order asked for, and a merge by its first parent", async () => {
  const [first = "", second = "", third = ""] = commits;
  const tree = git(origin, "rev-parse", `${third}^{tree}`);
  const who = ["-c", "user.name=Seed", "-c", "user.email=seed@example.com"];
  const merge = git(origin, ...who, "commit-tree", "-p", first, "-p", third, "-m", "Merge", tree);
  const stats = await repository.diffStats([third, merge, second]);
  const names = stats.map((stat) => [...stat.matchAll(/src\/(\w+)\.js/g)].map((match) => match[1]));
  expect(names).toEqual([["three"], ["three", "two"], ["two"]]);
  expect(await repository.diffStats([])).toEqual([]);
});
