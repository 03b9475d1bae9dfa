import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Runs git in `cwd` and gives back what it printed, without the last newline. */
export function git(cwd: string, ...args: string[]): string {
  return execFileSync("git", args, { cwd, encoding: "utf8" }).trimEnd();
}

/**
 * A small JavaScript library in a bare repository, as a user might have it: no swarm.json, nothing of ours, its
 * checks to be found from its package.json. Returns the repository's path.
 */
export function makeStringKit(dir: string): string {
  const work = join(dir, "string-kit");
  mkdirSync(join(work, "src"), { recursive: true });
  const manifest = { name: "string-kit", version: "1.0.0", type: "module", scripts: { test: "node --test" } };
  writeFileSync(join(work, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  writeFileSync(join(work, "README.md"), "# string-kit\n\nSmall functions for strings.\n");
  writeFileSync(
    join(work, "src/reverse.js"),
    'export const reverse = (text) => [...text].reverse().join("");\n',
  );
  writeFileSync(
    join(work, "src/reverse.test.js"),
    `import assert from "node:assert/strict";
import { test } from "node:test";
import { reverse } from "./reverse.js";

test("reverses", () => assert.equal(reverse("abc"), "cba"));
`,
  );
  git(work, "init", "-q", "-b", "main");
  git(work, "add", "-A");
  git(work, "-c", "user.name=Kit", "-c", "user.email=kit@example.com", "commit", "-q", "-m", "Begin the kit");
  const bare = join(dir, "string-kit.git");
  git(dir, "clone", "-q", "--bare", work, bare);
  return bare;
}
