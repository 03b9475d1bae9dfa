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
import { openInPlace } from "./in-place.ts";
import { openLandingEngine } from "./landing/engine.ts";
import { openMirror, type Mirror } from "./mirror.ts";
import { findInPlace } from "./open-origin.ts";

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "swarm-origins-"));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const MAIN = "refs/heads/main";
const RIGHT = { lost: new AbortController().signal };
const text = (content: string) => ({ "a.txt": { mode: "100644", content } });
let origins = 0;

/** An origin with one commit on its trunk, and two made upon that which are in `mirror` alone. */
interface Ground {
  readonly origin: string;
  readonly mirror: Mirror;
  readonly first: string;
  readonly ours: string;
  readonly foreign: string;
}

async function prepare(kind: "in place" | "by a mirror"): Promise<Ground> {
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
  // A hook of the origin's own must be heard, and so a push has to be made.
  const hook = join(origin, "hooks/post-update");
  mkdirSync(join(origin, "hooks"), { recursive: true });
  writeFileSync(hook, "#!/bin/sh\ntouch heard\n");
  chmodSync(hook, 0o755);
  expect(await findInPlace(origin)).toBeNull();
  const mirror = await openMirror({ url: origin, dir: join(dir, `mirror-${origins}.git`) });
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
  let ground: Ground;
  beforeEach(async () => {
    ground = await prepare(kind);
    return () => ground.mirror[Symbol.dispose]();
  });

  test("a push moves the ref from where it was said to be, and is known here at once", async () => {
    const { mirror, origin, first, ours } = ground;
    expect(mirror.trunk).toBe("main");
    expect(await mirror.push({ ref: MAIN, from: first, to: ours }, RIGHT)).toBe("published");
    expect(at(origin)).toBe(ours);
    expect(await mirror.head()).toBe(ours);
    expect(existsSync(join(origin, "heard"))).toBe(kind === "by a mirror");
    expect(await mirror.push({ ref: "refs/heads/green", from: null, to: first }, RIGHT)).toBe("published");
    expect(await mirror.green()).toBe(first);
  });

  test("where somebody else was first it has moved, and theirs stays", async () => {
    const { mirror, origin, first, ours, foreign } = ground;
    git(origin, "update-ref", MAIN, foreign);
    expect(await mirror.push({ ref: MAIN, from: first, to: ours }, RIGHT)).toBe("moved");
    expect(at(origin)).toBe(foreign);
    await mirror.fetch();
    expect(await mirror.head()).toBe(foreign);
  });

  test("a ref that must not be there and is, or must be and is not, has moved", async () => {
    const { mirror, origin, first, ours } = ground;
    git(origin, "update-ref", "refs/heads/green", first);
    expect(await mirror.push({ ref: "refs/heads/green", from: null, to: ours }, RIGHT)).toBe("moved");
    expect(at(origin, "refs/heads/green")).toBe(first);
    expect(await mirror.push({ ref: "refs/heads/gone", from: first, to: ours }, RIGHT)).toBe("moved");
  });

  test("nothing is ever pushed that does not descend from where the ref was", async () => {
    const { mirror, origin, first, ours } = ground;
    expect(await mirror.push({ ref: MAIN, from: first, to: ours }, RIGHT)).toBe("published");
    await expect(mirror.push({ ref: MAIN, from: ours, to: first }, RIGHT)).rejects.toMatchObject({
      code: "git.refused",
      retryable: false,
    });
    expect(at(origin)).toBe(ours);
  });

  test("nothing is pushed by a holder whose right to publish is lost", async () => {
    const { mirror, origin, first, ours } = ground;
    const by = { lost: AbortSignal.abort("lease lost") };
    await expect(mirror.push({ ref: MAIN, from: first, to: ours }, by)).rejects.toMatchObject({
      code: "git.refused",
      message: `${MAIN} is not pushed: the right to publish is lost (lease lost)`,
      retryable: true,
    });
    expect(at(origin)).toBe(first);
  });

  test("a young lock in the origin is somebody's: the push fails for now, and the lock stays", async () => {
    const { mirror, origin, first, ours } = ground;
    const theirs = lock(join(origin, `${MAIN}.lock`), 0);
    await expect(mirror.push({ ref: MAIN, from: first, to: ours }, RIGHT)).rejects.toMatchObject({
      retryable: true,
    });
    expect(existsSync(theirs)).toBe(true);
    rmSync(theirs);
    expect(await mirror.push({ ref: MAIN, from: first, to: ours }, RIGHT)).toBe("published");
  });

  test("an old lock in the origin was left behind: it is removed, and the next push goes through", async () => {
    const { mirror, origin, first, ours } = ground;
    const left = lock(join(origin, `${MAIN}.lock`), 2);
    await expect(mirror.push({ ref: MAIN, from: first, to: ours }, RIGHT)).rejects.toMatchObject({
      retryable: true,
    });
    expect(existsSync(left)).toBe(false);
    expect(await mirror.push({ ref: MAIN, from: first, to: ours }, RIGHT)).toBe("published");
  });

  test("an origin that is away is to be tried again, and is found when it is back", async () => {
    const { mirror, origin, first, ours } = ground;
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

  test("where another copy is put in the origin's place, the push goes to that one", async () => {
    const { mirror, origin, first, ours } = ground;
    expect(await mirror.push({ ref: "refs/heads/green", from: null, to: first }, RIGHT)).toBe("published");
    cpSync(origin, `${origin}.copy`, { recursive: true });
    renameSync(origin, `${origin}.old`);
    renameSync(`${origin}.copy`, origin);
    await mirror.fetch();
    expect(await mirror.push({ ref: MAIN, from: first, to: ours }, RIGHT)).toBe("published");
    expect([at(origin), at(`${origin}.old`)]).toEqual([ours, first]);
  });
});

test("landings built while the origin is away are to be tried again, and nothing is begun in its place", async () => {
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

test("a mirror's own fetch removes a lock that an earlier one left behind, but no young one", async () => {
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

test("an origin whose hook says no keeps its trunk, and the hook's words are told", async () => {
  const { mirror, origin, first, ours } = await prepare("by a mirror");
  const hook = join(origin, "hooks/pre-receive");
  writeFileSync(hook, "#!/bin/sh\necho only on Mondays\nexit 1\n");
  chmodSync(hook, 0o755);
  await expect(mirror.push({ ref: MAIN, from: first, to: ours }, RIGHT)).rejects.toThrow(/only on Mondays/);
  expect(at(origin)).toBe(first);
});
