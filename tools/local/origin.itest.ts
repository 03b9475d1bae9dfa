import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { seedOrigin } from "./origin.ts";

const root = mkdtempSync(join(tmpdir(), "swarm-seed-origin-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

test.each([
  ["an empty folder", () => undefined],
  ["a repository without a commit", (dir: string) => execFileSync("git", ["init", "-q", dir])],
])("%s is seeded with an empty first commit on the branch that HEAD names", async (name, prepare) => {
  const [source, home] = [join(root, name, "source"), join(root, name, "home")];
  for (const dir of [source, home]) mkdirSync(dir, { recursive: true });
  prepare(source);
  const origin = await seedOrigin(source, home);
  const git = (...args: string[]) => execFileSync("git", ["-C", origin, ...args], { encoding: "utf8" });
  expect(git("log", "--format=%an", "HEAD")).toBe("AgentSwarm\n");
  expect(git("ls-tree", "HEAD")).toBe("");
});
