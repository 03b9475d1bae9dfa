import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { git } from "../../../test/support/string-kit.ts";
import { makeCommits } from "../testing/make-commits.ts";
import { openInPlace } from "./open-in-place.ts";
import { openLandingEngine } from "./landing/engine.ts";
import { originAddress } from "./origin-address.ts";
import { openMirror, type Mirror } from "./mirror.ts";
import { findInPlace, openOrigin } from "./open-origin.ts";

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "swarm-origins-"));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const MAIN = "refs/heads/main";
const RIGHT = { lost: new AbortController().signal };
const text = (content: string) => ({ "a.txt": { mode: "100644", content } });
let origins = 0;

/** An origin with one commit on its trunk, and two commits on top of it that no ref names. */
interface Setup {
  readonly origin: string;
  readonly mirror: Mirror;
  readonly first: string;
  readonly ours: string;
  readonly foreign: string;
}

async function prepare(kind: "in place" | "by a mirror"): Promise<Setup> {
  const origin = join(dir, `origin-${(origins += 1)}.git`);
  git(dir, "init", "-q", "--bare", "-b", "main", origin);
  const [first = "", ours = "", foreign = ""] = makeCommits(origin, [
    { files: text("1") },
    { files: text("2"), parent: 0 },
    { files: text("3"), parent: 0 },
  ]);
  git(origin, "update-ref", MAIN, first);
  if (kind === "in place") {
    const found = await findInPlace(origin);
    return { origin, mirror: await openInPlace({ dir: found ?? "", url: origin }), first, ours, foreign };
  }
  // The origin's own hook must run, and so the mirror has to push.
  const hook = join(origin, "hooks/post-update");
  mkdirSync(join(origin, "hooks"), { recursive: true });
  writeFileSync(hook, "#!/bin/sh\ntouch hook-ran\n");
  chmodSync(hook, 0o755);
  expect(await findInPlace(origin)).toBeNull();
  const mirror = await openMirror({ origin: originAddress(origin), dir: join(dir, `mirror-${origins}.git`) });
  git(mirror.dir, "fetch", "-q", origin, ours);
  return { origin, mirror, first, ours, foreign };
}

const at = (repository: string, ref = MAIN) => git(repository, "rev-parse", "--verify", ref);
function lock(path: string, minutesOld: number): string {
  writeFileSync(path, "");
  const then = Date.now() / 1_000 - minutesOld * 60;
  utimesSync(path, then, then);
  return path;
}

describe.each(["in place", "by a mirror"] as const)("an origin used %s", (kind) => {
  let setup: Setup;
  beforeEach(async () => {
    setup = await prepare(kind);
    return () => setup.mirror[Symbol.dispose]();
  });

  test("a push moves the ref, and the new commit is known here without a fetch", async () => {
    const { mirror, origin, first, ours } = setup;
    expect(mirror.trunk).toBe("main");
    expect(await mirror.push({ ref: MAIN, from: first, to: ours }, RIGHT)).toBe("published");
    expect(at(origin)).toBe(ours);
    expect(await mirror.head()).toBe(ours);
    expect(existsSync(join(origin, "hook-ran"))).toBe(kind === "by a mirror");
    expect(await mirror.push({ ref: "refs/heads/green", from: null, to: first }, RIGHT)).toBe("published");
    expect(await mirror.green()).toBe(first);
  });

  test("a commit's history, tree and files are those of git, and what is not there is not found", async () => {
    const { mirror, origin, first, ours, foreign } = setup;
    const lacking = "f".repeat(40);
    expect(await mirror.treeOf(ours)).toBe(git(origin, "rev-parse", `${ours}^{tree}`));
    await expect(mirror.treeOf(lacking)).rejects.toMatchObject({ code: "git.failed" });
    expect(await mirror.readFile(ours, "a.txt")).toBe("2");
    for (const path of ["b.txt", "a.txt/b", "a b", "", "a.txt\ncontents HEAD"])
      expect(await mirror.readFile(ours, path), path).toBeNull();
    expect(await mirror.readFile(lacking, "a.txt")).toBeNull();
    // Asked twice, because the second answer may come from what was remembered.
    for (let times = 0; times < 2; times += 1) {
      expect(await mirror.hasAll(ours, [ours, first])).toBe(true);
      expect(await mirror.hasAll(first, [first])).toBe(true);
      expect(await mirror.hasAll(ours, [first, foreign])).toBe(false);
      expect(await mirror.hasAll(lacking, [first])).toBe(false);
      expect(await mirror.hasAll(ours, [lacking])).toBe(false);
      expect([await mirror.isAncestor(first, ours), await mirror.isAncestor(ours, first)]).toEqual([
        true,
        false,
      ]);
    }
  });

  // Fault 21: a push that would not be a fast-forward.
  test("a push after somebody else's says that the ref has moved, and leaves it", async () => {
    const { mirror, origin, first, ours, foreign } = setup;
    git(origin, "update-ref", MAIN, foreign);
    expect(await mirror.push({ ref: MAIN, from: first, to: ours }, RIGHT)).toBe("moved");
    expect(at(origin)).toBe(foreign);
    await mirror.fetch();
    expect(await mirror.head()).toBe(foreign);
  });

  test("a ref that exists and should not, or does not and should, has moved", async () => {
    const { mirror, origin, first, ours } = setup;
    git(origin, "update-ref", "refs/heads/green", first);
    expect(await mirror.push({ ref: "refs/heads/green", from: null, to: ours }, RIGHT)).toBe("moved");
    expect(at(origin, "refs/heads/green")).toBe(first);
    expect(await mirror.push({ ref: "refs/heads/gone", from: first, to: ours }, RIGHT)).toBe("moved");
  });

  test("a commit that does not descend from the ref is refused", async () => {
    const { mirror, origin, first, ours } = setup;
    expect(await mirror.push({ ref: MAIN, from: first, to: ours }, RIGHT)).toBe("published");
    await expect(mirror.push({ ref: MAIN, from: ours, to: first }, RIGHT)).rejects.toMatchObject({
      code: "git.refused",
      retryable: false,
    });
    expect(at(origin)).toBe(ours);
  });

  test("a push by a holder whose right to publish is lost is refused", async () => {
    const { mirror, origin, first, ours } = setup;
    const by = { lost: AbortSignal.abort("lease lost") };
    await expect(mirror.push({ ref: MAIN, from: first, to: ours }, by)).rejects.toMatchObject({
      code: "git.refused",
      message: `${MAIN} is not pushed: the right to publish is lost (lease lost)`,
      retryable: true,
    });
    expect(at(origin)).toBe(first);
  });

  test("a young lock in the origin fails the push, retryable, and stays", async () => {
    const { mirror, origin, first, ours } = setup;
    const theirs = lock(join(origin, `${MAIN}.lock`), 0);
    await expect(mirror.push({ ref: MAIN, from: first, to: ours }, RIGHT)).rejects.toMatchObject({
      retryable: true,
    });
    expect(existsSync(theirs)).toBe(true);
    rmSync(theirs);
    expect(await mirror.push({ ref: MAIN, from: first, to: ours }, RIGHT)).toBe("published");
  });

  test("an old lock in the origin is removed, and the next push succeeds", async () => {
    const { mirror, origin, first, ours } = setup;
    const left = lock(join(origin, `${MAIN}.lock`), 2);
    await expect(mirror.push({ ref: MAIN, from: first, to: ours }, RIGHT)).rejects.toMatchObject({
      retryable: true,
    });
    expect(existsSync(left)).toBe(false);
    expect(await mirror.push({ ref: MAIN, from: first, to: ours }, RIGHT)).toBe("published");
  });

  test("an unreachable origin is a retryable fault, and works again when it is back", async () => {
    const { mirror, origin, first, ours } = setup;
    renameSync(origin, `${origin}.away`);
    await expect(mirror.fetch()).rejects.toMatchObject({ code: "origin.unreachable", retryable: true });
    await expect(mirror.push({ ref: MAIN, from: first, to: ours }, RIGHT)).rejects.toMatchObject({
      retryable: true,
    });
    mkdirSync(origin);
    await expect(mirror.fetch()).rejects.toMatchObject({ code: "origin.unreachable", retryable: true });
    rmSync(origin, { recursive: true });
    renameSync(`${origin}.away`, origin);
    await mirror.fetch();
    expect(await mirror.push({ ref: MAIN, from: first, to: ours }, RIGHT)).toBe("published");
  });

  test("after the origin is replaced by a copy, a push goes to the copy", async () => {
    const { mirror, origin, first, ours } = setup;
    expect(await mirror.push({ ref: "refs/heads/green", from: null, to: first }, RIGHT)).toBe("published");
    cpSync(origin, `${origin}.copy`, { recursive: true });
    renameSync(origin, `${origin}.old`);
    renameSync(`${origin}.copy`, origin);
    await mirror.fetch();
    expect(await mirror.push({ ref: MAIN, from: first, to: ours }, RIGHT)).toBe("published");
    expect([at(origin), at(`${origin}.old`)]).toEqual([ours, first]);
  });
});

test("a build while the origin is away is a retryable fault, and makes no repository in its place", async () => {
  const { origin, mirror, first, ours, foreign } = await prepare("in place");
  using engine = openLandingEngine({ dir: mirror.dir, strategy: "merge-commit" });
  const trailers = { taskId: "task", featureId: "feature", attempt: 1, model: "m", costUsd: 0 };
  const requests = [{ base: first, head: ours, title: "t", trailers }];
  expect(await engine.build(first, requests)).toMatchObject([{ kind: "built" }]);
  renameSync(origin, `${origin}.away`);
  await expect(
    engine.build(first, [{ base: first, head: foreign, title: "other", trailers }]),
  ).rejects.toMatchObject({ retryable: true });
  expect(existsSync(origin)).toBe(false);
  renameSync(`${origin}.away`, origin);
  expect(await engine.build(first, requests)).toMatchObject([{ kind: "built" }]);
  mirror[Symbol.dispose]();
});

test("a fetch removes an old lock in its mirror, but no young one", async () => {
  const { mirror, origin, foreign } = await prepare("by a mirror");
  git(origin, "update-ref", MAIN, foreign);
  const left = lock(join(mirror.dir, "refs/remotes/origin/main.lock"), 0);
  await expect(mirror.fetch()).rejects.toMatchObject({ retryable: true });
  expect(existsSync(left)).toBe(true);
  lock(left, 2);
  await expect(mirror.fetch()).rejects.toMatchObject({ retryable: true });
  await mirror.fetch();
  expect(await mirror.head()).toBe(foreign);
});

test("a push that the origin's hook rejects fails with the hook's output", async () => {
  const { mirror, origin, first, ours } = await prepare("by a mirror");
  const hook = join(origin, "hooks/pre-receive");
  writeFileSync(hook, "#!/bin/sh\necho only on Mondays\nexit 1\n");
  chmodSync(hook, 0o755);
  await expect(mirror.push({ ref: MAIN, from: first, to: ours }, RIGHT)).rejects.toThrow(/only on Mondays/);
  expect(at(origin)).toBe(first);
});

test("an origin without hooks is opened in place, and with a hook as a mirror", async () => {
  const { origin, mirror } = await prepare("in place");
  mirror[Symbol.dispose]();
  const mirrorDir = join(dir, `chosen-${origins}.git`);
  using inPlace = await openOrigin({ url: origin, mirrorDir });
  expect(inPlace.dir).toBe(origin);
  expect(existsSync(mirrorDir)).toBe(false);
  mkdirSync(join(origin, "hooks"), { recursive: true });
  writeFileSync(join(origin, "hooks/update"), "#!/bin/sh\n", { mode: 0o755 });
  using mirrored = await openOrigin({ url: origin, mirrorDir });
  expect(mirrored.dir).toBe(mirrorDir);
  expect(await mirrored.head()).toBe(await inPlace.head());
});

test("only with `recover` are young locks removed from a mirror that is opened", async () => {
  const { origin, mirror, foreign } = await prepare("by a mirror");
  git(origin, "update-ref", MAIN, foreign);
  const left = lock(join(mirror.dir, "refs/remotes/origin/main.lock"), 0);
  const options = { url: origin, mirrorDir: mirror.dir };
  await expect(openOrigin(options)).rejects.toMatchObject({ retryable: true });
  expect(existsSync(left)).toBe(true);
  const removed: string[] = [];
  using opened = await openOrigin({ ...options, recover: (locks) => removed.push(...locks) });
  expect(removed).toEqual(["refs/remotes/origin/main.lock"]);
  expect(await opened.head()).toBe(foreign);
});
