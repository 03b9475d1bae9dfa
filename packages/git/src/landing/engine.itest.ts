import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Files } from "../../testing/histories.ts";
import { makeCommits } from "../../testing/make-commits.ts";
import { openReferenceEngine } from "../../testing/reference-engine.ts";
import { MERGER } from "../landing-log.ts";
import { openLandingEngine } from "./engine.ts";
import type { BuiltLanding, LandingRequest } from "./landing.ts";
import type { MergeStrategy } from "./strategies.ts";

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "swarm-engine-"));
  git("init", "-q", "--bare", "-b", "main");
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function git(...args: string[]): string {
  return execFileSync("git", args, { cwd: dir, encoding: "utf8" }).trimEnd();
}
const text = (content: string) => ({ mode: "100644", content });
const ten = "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n";
const base: Files = {
  "README.md": text("read me\n"),
  "src/shared.txt": text(ten),
  "src/a.txt": text("a\n"),
  "src/deep/b.txt": text("b\n"),
};
const request = (from: string, head: string, title: string): LandingRequest => ({
  base: from,
  head,
  title,
  trailers: { taskId: title, featureId: "feature-1", attempt: 1, model: "glm-5", costUsd: 0.25 },
});

/** Branches off one base, like parallel attempts: separate files, one file in separate places, and one true conflict. */
function branches(): { tip: string; requests: LandingRequest[] } {
  const line = (nth: number, what: string) => ten.replace(`${nth}\n`, `${what}\n`);
  const sides: Files[] = [
    { ...base, "src/new-1.txt": text("1\n"), "src/a.txt": text("a changed\n") },
    { ...base, "src/shared.txt": text(line(1, "one")) },
    { ...base, "src/shared.txt": text(line(10, "ten")), "src/deep/new/c.txt": text("c\n") },
    { ...base, "src/shared.txt": text(line(1, "uno")) },
    { ...base, "src/a.txt": text("a changed\n"), "src/new-1.txt": text("1\n") },
    Object.fromEntries(Object.entries(base).filter(([path]) => path !== "README.md")),
    {
      ...base,
      "bin/run": { mode: "100755", content: "#!/bin/sh\n" },
      link: { mode: "120000", content: "src" },
    },
    ...["x", "y", "z"].map((name) => ({ ...base, [`src/deep/${name}/new.txt`]: text(name) })),
  ];
  const commits = makeCommits(dir, [
    { files: base },
    ...sides.map((files) => ({ files, parent: 0, message: "work" })),
  ]);
  const [tip = "", ...heads] = commits;
  return { tip, requests: heads.map((head, nth) => request(tip, head, `task-${nth}`)) };
}

const kinds = (built: readonly BuiltLanding[]) =>
  built.map((one) =>
    one.kind === "conflict" ? `conflict in ${one.paths.map((path) => path.path).join()}` : one.kind,
  );
const trees = (built: readonly BuiltLanding[]) =>
  built.map((one) => (one.kind === "built" ? one.tree : null));

test("a group gives the trees, conflicts and empty landings of single `git merge`s", async () => {
  const { tip, requests } = branches();
  using engine = openLandingEngine({ dir, strategy: "merge-commit" });
  using reference = openReferenceEngine(dir);
  const ours = await engine.build(tip, requests);
  const theirs = await reference.build(tip, requests);
  expect(kinds(ours)).toEqual(kinds(theirs));
  expect(trees(ours)).toEqual(trees(theirs));
  expect(kinds(ours)).toEqual([
    "built",
    "built",
    "built",
    "conflict in src/shared.txt",
    "empty",
    "built",
    "built",
    "built",
    "built",
    "built",
  ]);
});

test("a group is written as one pack that passes git's own check", async () => {
  const { tip, requests } = branches();
  using engine = openLandingEngine({ dir, strategy: "fast-forward" });
  const packs = () => readdirSync(join(dir, "objects/pack")).filter((name) => name.endsWith(".pack")).length;
  const before = packs();
  await engine.build(tip, requests);
  expect(packs()).toBe(before + 1);
  expect(git("fsck", "--strict", "--no-dangling")).toBe("");
});

test("landings built one by one have the trees of those built as a group", async () => {
  const { tip, requests } = branches();
  using engine = openLandingEngine({ dir, strategy: "fast-forward" });
  const together = await engine.build(tip, requests);
  let at = tip;
  for (const [nth, one] of requests.entries()) {
    const [alone] = await engine.build(at, [one]);
    expect(trees(alone ? [alone] : [])).toEqual(trees(together.slice(nth, nth + 1)));
    if (alone?.kind === "built") at = alone.commit;
  }
});

/** Two commits of an agent, under its own name, with our trailers in the message. */
function twoCommits(): { tip: string; trunk: string; head: string } {
  const first = { ...base, "one.txt": text("1\n") };
  const [tip = "", trunk = "", , head = ""] = makeCommits(dir, [
    { files: base },
    { files: { ...base, "other.txt": text("o\n") }, parent: 0 },
    { files: first, parent: 0, message: "Add one\n\nBecause." },
    {
      files: { ...first, "two.txt": text("2\n") },
      parent: 2,
      message: "Add two\n\nSwarm-Task: not-mine\nSwarm-Cost-Usd: 0",
    },
  ]);
  return { tip, trunk, head };
}

const shown = (range: string) =>
  git("log", "--reverse", "--format=%an|%cn|%s|%(trailers:key=Swarm-Task,valueonly,separator=)", range).split(
    "\n",
  );

test.each<[MergeStrategy, string[]]>([
  ["fast-forward", [`Agent|${MERGER.name}|Add two|task-x`]],
  ["squash", [`Agent|${MERGER.name}|task-x|task-x`]],
  ["rebase", [`Agent|${MERGER.name}|Add one|`, `Agent|${MERGER.name}|Add two|task-x`]],
  ["merge-commit", [`${MERGER.name}|${MERGER.name}|task-x|task-x`]],
])("%s: authors, committer, subjects and trailers", async (strategy, expected) => {
  const { tip, trunk, head } = twoCommits();
  using engine = openLandingEngine({ dir, strategy });
  const [built] = await engine.build(trunk, [request(tip, head, "task-x")]);
  if (built?.kind !== "built") throw new Error(`it was ${built?.kind}`);
  const log = shown(`${trunk}..${built.commit}`);
  expect(strategy === "merge-commit" ? log.slice(-1) : log).toEqual(expected);
  const parents = git("rev-list", "--parents", "-1", built.commit).split(" ").slice(1);
  if (strategy === "merge-commit") expect(parents).toEqual([trunk, head]);
  else expect(git("rev-list", "--merges", `${trunk}..${built.commit}`)).toBe("");
  if (strategy === "fast-forward" || strategy === "squash") expect(parents).toEqual([trunk]);
  if (strategy === "squash")
    expect(git("log", "-1", "--format=%b", built.commit)).toContain("- Add one\n- Add two");
  expect(git("log", "--format=%B", `${trunk}..${built.commit}`, "--first-parent")).not.toContain("not-mine");
  expect(git("ls-tree", "-r", "--name-only", built.commit).split("\n")).toEqual(
    expect.arrayContaining(["one.txt", "two.txt", "other.txt"]),
  );
});

test("an attempt that git refuses does not keep the others of its group from landing", async () => {
  const { tip, requests } = branches();
  const broken = request(tip, "1".repeat(40), "broken");
  using engine = openLandingEngine({ dir, strategy: "fast-forward" });
  const built = await engine.build(tip, [...requests.slice(0, 1), broken, ...requests.slice(1, 2)]);
  expect(kinds(built)).toEqual(["built", "refused", "built"]);
  expect(built[1]).toMatchObject({ why: expect.stringContaining("1111") });
});

test("changes and the text of files are read from commits", async () => {
  const { tip, requests } = branches();
  using engine = openLandingEngine({ dir, strategy: "fast-forward" });
  const changes = await engine.changes(tip, requests[0]?.head ?? "");
  expect(changes).toEqual(
    expect.arrayContaining([
      { path: "src/a.txt", kind: "changed" },
      { path: "src/new-1.txt", kind: "added" },
    ]),
  );
  expect(changes).toHaveLength(2);
  expect(await engine.changesOf(requests[5]?.head ?? "")).toEqual([{ path: "README.md", kind: "deleted" }]);
  expect(await engine.readFile(tip, "src/deep/b.txt")).toBe("b\n");
  for (const path of ["src/deep", "nowhere", "src/nowhere/b.txt"])
    expect(await engine.readFile(tip, path)).toBeNull();
});
