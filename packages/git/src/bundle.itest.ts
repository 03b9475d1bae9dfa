import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { git } from "../../../test/support/string-kit.ts";
import { makeCommits } from "../testing/make-commits.ts";
import { bundleFor } from "./bundle.ts";

const dir = mkdtempSync(join(tmpdir(), "swarm-bundles-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

test("bundles give a commit with its history, and once they exist git is not asked for them", async () => {
  const origin = join(dir, "origin.git");
  git(dir, "init", "-q", "--bare", "-b", "main", origin);
  const commits = makeCommits(
    origin,
    Array.from({ length: 53 }, (_, nth) => ({
      files: { "a.txt": { mode: "100644", content: `${nth}` } },
      ...(nth === 0 ? {} : { parent: nth - 1 }),
    })),
  );
  const cacheDir = join(dir, "bundles");
  // Landings 1 and 51 are checkpoints.
  for (const nth of [51, 0, 1, 49, 50, 52]) {
    const commit = commits[nth] ?? "";
    const made = await bundleFor({ repoDir: origin, commit, cacheDir });
    const checkpoint = commits[nth < 50 ? 0 : 50];
    expect(made.full).toBe(join(cacheDir, `full-${checkpoint}.bundle`));
    expect(made.thin).toBe(commit === checkpoint ? null : join(cacheDir, `thin-${commit}.bundle`));
    expect(await bundleFor({ repoDir: join(dir, "nowhere"), commit, cacheDir })).toEqual(made);

    const copy = join(dir, `copy-${nth}.git`);
    git(dir, "init", "-q", "--bare", copy);
    for (const file of [made.full, made.thin])
      if (file !== null) git(copy, "fetch", "-q", file, "+refs/*:refs/bundled/*");
    expect(git(copy, "rev-list", "--count", commit)).toBe(`${nth + 1}`);
  }
});
