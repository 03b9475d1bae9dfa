import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, expect, test } from "vitest";
import { attemptRef } from "@agentswarm/contracts";
import { commitFiles } from "../../../test/support/commit-files.ts";
import { git, makeStringKit } from "../../../test/support/string-kit.ts";
import { makeBundle } from "./bundle.ts";
import { fetchQuarantined, removeQuarantines } from "./fetch-quarantined.ts";
import { packRefs } from "./pack-refs.ts";
import { pruneObjects } from "./prune-objects.ts";
import { fetchAttempts, openStore, type Store } from "./store.ts";

const DAY_MS = 24 * 3_600_000;
const dir = mkdtempSync(join(tmpdir(), "swarm-store-upkeep-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

let origin: string;
let base: string;
let store: Store;
let labs = 0;
beforeEach(async () => {
  const lab = join(dir, String((labs += 1)));
  mkdirSync(lab);
  origin = makeStringKit(lab);
  base = git(origin, "rev-parse", "main");
  store = await openStore({ dir: join(lab, "store.git") });
  git(store.dir, "fetch", "-q", origin, "main");
});

/** Stores attempts of one commit each, and returns their commits. */
function storeAttempts(...taskIds: string[]): string[] {
  commitFiles(
    store.dir,
    taskIds.map((taskId) => ({ ref: attemptRef(taskId, 1), base, files: { [`src/${taskId}.js`]: taskId } })),
  );
  return git(store.dir, "rev-parse", ...taskIds.map((taskId) => attemptRef(taskId, 1))).split("\n");
}

/** Makes everything in the store look as if it had been written so many days ago. */
function age(days: number): void {
  const then = Date.now() / 1_000 - days * 86_400;
  const objects = join(store.dir, "objects");
  for (const entry of readdirSync(objects, { recursive: true, withFileTypes: true }))
    if (entry.isFile()) utimesSync(join(entry.parentPath, entry.name), then, then);
}

const has = (commit: string) => {
  try {
    return git(store.dir, "cat-file", "-t", commit) === "commit";
  } catch {
    return false;
  }
};

test("the objects of a removed attempt go when they are old, and those of every other attempt stay", async () => {
  const [gone = "", kept = ""] = storeAttempts("gone", "kept");
  age(8);
  const [young = ""] = storeAttempts("young");
  await store.remove([
    { taskId: "gone", attempt: 1 },
    { taskId: "young", attempt: 1 },
    { taskId: "never-stored", attempt: 1 },
  ]);
  await pruneObjects(store.dir, Date.now() - 7 * DAY_MS);
  expect([has(gone), has(kept), has(young)]).toEqual([false, true, true]);
  expect((await store.listAll()).map(({ taskId }) => taskId)).toEqual(["kept"]);
  expect(git(store.dir, "fsck", "--strict", "--no-dangling")).not.toContain("missing");
});

test("attempts that arrive while objects are removed are whole, also when they bring an old object again", async () => {
  storeAttempts("old");
  age(8);
  await store.remove([{ taskId: "old", attempt: 1 }]);
  const arrive = async (taskId: string) => {
    // The blob of the removed attempt, in a new commit.
    const ref = `refs/work/${taskId}`;
    commitFiles(origin, [{ ref, base, files: { "src/old.js": "old", [`src/${taskId}.js`]: taskId } }]);
    const headCommit = git(origin, "rev-parse", ref);
    const bundlePath = await makeBundle(origin, headCommit, base, join(dir, `${labs}-${taskId}.bundle`));
    const repoDir = origin;
    const taken = { bundlePath, baseCommit: base, headCommit, repoDir, store, taskId, attempt: 1 };
    expect(await fetchQuarantined(taken)).toMatchObject({ kind: "accepted" });
  };
  await Promise.all([
    pruneObjects(store.dir, Date.now() - 7 * DAY_MS),
    ...["a", "b", "c", "d"].map((taskId) => arrive(taskId)),
  ]);
  await arrive("after");
  expect(git(store.dir, "fsck", "--strict", "--no-dangling", "--connectivity-only")).not.toContain("missing");
  const lacking = await fetchAttempts(
    store,
    origin,
    ["a", "b", "c", "d", "after"].map((taskId) => attemptRef(taskId, 1)),
  );
  expect(lacking).toEqual([]);
});

test("refs are packed into one file with a commit graph, and attempts are read, added and removed as before", async () => {
  storeAttempts(...Array.from({ length: 300 }, (_, nth) => `task-${nth}`));
  await packRefs(store.dir);
  const loose = readdirSync(join(store.dir, "refs/swarm"), { recursive: true, withFileTypes: true });
  expect(loose.filter((entry) => entry.isFile())).toEqual([]);
  expect(existsSync(join(store.dir, "objects/info/commit-graph"))).toBe(true);
  storeAttempts("later");
  await store.remove([{ taskId: "task-7", attempt: 1 }]);
  expect(await store.attempts("task-7")).toEqual([]);
  expect(await store.attempts("task-8")).toEqual([1]);
  expect(await fetchAttempts(store, origin, [attemptRef("task-7", 1), attemptRef("later", 1)])).toEqual([
    attemptRef("task-7", 1),
  ]);
  await pruneObjects(store.dir, Date.now() + DAY_MS);
  await packRefs(store.dir);
  expect(await store.listAll()).toHaveLength(300);
  expect(git(store.dir, "fsck", "--strict", "--no-dangling")).not.toContain("missing");
});

// Fault 30, and a process that is killed while it unpacks: each left the size of what it was unpacking.
test("the quarantine of a killed process is removed after an hour, and one in use stays", async () => {
  const [left, used] = ["quarantine-left", "quarantine-used"].map((name) => join(store.dir, name));
  for (const folder of [left, used]) mkdirSync(join(folder ?? "", "objects/pack"), { recursive: true });
  const then = Date.now() / 1_000 - 3_700;
  utimesSync(left ?? "", then, then);
  expect(await removeQuarantines(store)).toBe(1);
  expect([existsSync(left ?? ""), existsSync(used ?? "")]).toEqual([false, true]);
});
