import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, globSync, mkdirSync, renameSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { jobId } from "@agentswarm/contracts";
import { git } from "../../../test/support/string-kit.ts";
import { waitUntil } from "../../../test/support/wait-until.ts";
import { bullQueue } from "../../../test/support/queue.ts";
import { startMerger, type Attempt, type TestMerger } from "../testing/start-merger.ts";

/** Blocks in the sandbox until the test writes `go`, or until the file that the attempt's own held-* file names exists. */
const HELD = `for held in src/held-*; do
  until ! test -e $held || test -e $(cat $held) || test -e ../go; do touch ../held; sleep 0.05; done
done`;
/** Red only if the foreign change and the attempt's own change are both in the tree. */
const TOGETHER = "! { test -e src/held-quarrel && test -e foreign-quarrel; }";

const WITHIN_MS = 40_000;

/** The hooks of an origin must run, so the merger pushes from a mirror to an origin with hooks. */
const ORIGINS = [
  ["used in place", false],
  ["with a hook, used by a mirror", true],
] as const;

describe.each(ORIGINS)("an origin %s", (_kind, hooked) => {
  let merger: TestMerger;
  beforeAll(async () => {
    merger = await startMerger({ checks: [HELD, TOGETHER] });
    if (!hooked) return;
    await merger.service.stop();
    const hook = join(merger.origin, "hooks/post-update");
    mkdirSync(dirname(hook), { recursive: true });
    writeFileSync(hook, "#!/bin/sh\nexit 0\n");
    chmodSync(hook, 0o755);
    await merger.again();
    expect(existsSync(join(merger.home, "mirrors/merger/HEAD"))).toBe(true);
  });
  afterAll(() => merger[Symbol.asyncDispose]());

  const attemptAt = async (taskId: string, files: Record<string, string>): Promise<Attempt> => {
    const attempt = { taskId, base: merger.head(), files };
    await merger.store([attempt]);
    return attempt;
  };
  const one = (taskId: string) => attemptAt(taskId, { [`src/${taskId}.js`]: `// ${taskId}\n` });
  const sandboxOf = (file: string) => globSync(join(merger.home, "sandboxes/*/work", file))[0];

  /** A commit on the trunk that the merger did not make. */
  function pushForeign(file: string): string {
    const who = "Somebody <s@example.com> 1700000000 +0000";
    const message = `author ${who}\ncommitter ${who}\ndata 7\nforeign`;
    const input = `commit refs/heads/main\n${message}\nfrom ${merger.head()}\nM 644 inline ${file}\ndata 0\n\n`;
    execFileSync("git", ["fast-import", "--quiet", "--date-format=raw"], { cwd: merger.origin, input });
    return merger.head();
  }

  /** Requests a landing, pushes `foreign` while the gate tests it, and releases the gate. */
  async function overtake(attempt: Attempt, foreign: string): Promise<string> {
    await merger.request([attempt]);
    const held = await waitUntil(
      "the gate",
      WITHIN_MS,
      () => sandboxOf("held") ?? null,
      merger.service.output,
    );
    const commit = pushForeign(foreign);
    writeFileSync(join(dirname(held), "go"), "");
    return commit;
  }

  // Fault 20: a stale lock of a ref or of the index.
  test("an attempt lands although a killed git process left a lock on the trunk", async () => {
    const attempt = await one(`lock-${hooked}`);
    const left = join(merger.origin, "refs/heads/main.lock");
    writeFileSync(left, "");
    const longAgo = Date.now() / 1_000 - 120;
    utimesSync(left, longAgo, longAgo);
    await merger.request([attempt]);
    expect(await merger.outcome(attempt.taskId)).toMatchObject({ kind: "landed" });
    expect(existsSync(left)).toBe(false);
  });

  test("a merger starts and lands although a killed merger left lock files in its repository", async () => {
    await merger.service.stop();
    const repository = hooked ? join(merger.home, "mirrors/merger") : merger.origin;
    const locks = [
      hooked ? "refs/remotes/origin/main.lock" : "refs/heads/main.lock",
      "packed-refs.lock",
      "index.lock",
    ];
    for (const name of locks) {
      const path = join(repository, name);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, "");
      // Only this merger uses the mirror; in the origin other git processes may hold fresh locks.
      const then = Date.now() / 1_000 - (hooked ? 0 : 120);
      utimesSync(path, then, then);
    }
    const attempt = await one(`left-${hooked}`);
    await merger.request([attempt]);
    await merger.again();
    expect(await merger.outcome(attempt.taskId)).toMatchObject({ kind: "landed" });
    for (const name of locks) expect(existsSync(join(repository, name)), name).toBe(false);
  });

  // Fault 21: a push of somebody else came first.
  test("an attempt overtaken by a foreign push is built and tested again upon that push", async () => {
    const before = merger.head();
    const attempt = await attemptAt(`held-${hooked}`, { "src/held-once": "foreign-once" });
    const foreign = await overtake(attempt, "foreign-once");
    const outcome = await merger.outcome(attempt.taskId);
    expect(outcome).toMatchObject({ kind: "landed", commit: merger.head() });
    expect(git(merger.origin, "log", "--reverse", "--format=%H %P", `${before}..main`).split("\n")).toEqual([
      `${foreign} ${before}`,
      `${merger.head()} ${foreign}`,
    ]);
    expect(git(merger.origin, "ls-tree", "--name-only", "main")).toContain("foreign-once");
  });

  test("an attempt that is red upon a foreign push is not published", async () => {
    const attempt = await attemptAt(`quarrel-${hooked}`, { "src/held-quarrel": "foreign-quarrel" });
    const foreign = await overtake(attempt, "foreign-quarrel");
    expect(await merger.outcome(attempt.taskId)).toMatchObject({ kind: "rejected", check: TOGETHER });
    expect(merger.head()).toBe(foreign);
  });

  // Fault 22: the origin is away.
  test("landings wait for an unreachable origin without failing, and land once it is back", async () => {
    const attempts = [await one(`away-a-${hooked}`), await one(`away-b-${hooked}`)];
    const away = `${merger.origin}.away`;
    const soFar = merger.service.output().length;
    renameSync(merger.origin, away);
    await merger.request(attempts);
    await waitUntil("the error message", WITHIN_MS, () =>
      merger.service.output().slice(soFar).includes("GIT_REPO_URL") ? true : null,
    );
    for (const { taskId } of attempts) {
      await waitUntil(`${taskId} to wait`, WITHIN_MS, async () => {
        const state = await bullQueue(merger.connection, "merge").getJobState(jobId.merge(taskId, 1));
        if (state === "failed" || state === "completed") throw new Error(`${taskId} ${state}`);
        return state === "delayed" ? true : null;
      });
    }
    expect(existsSync(merger.origin)).toBe(false);
    renameSync(away, merger.origin);
    for (const { taskId } of attempts) expect(await merger.outcome(taskId)).toMatchObject({ kind: "landed" });
    expect(await bullQueue(merger.connection, "merge").getFailedCount()).toBe(0);
  });

  test("a merger that starts without its origin waits for it with the reason, and lands the waiting attempts once it is back", async () => {
    await merger.service.stop();
    const attempt = await one(`boot-${hooked}`);
    await merger.request([attempt]);
    const away = `${merger.origin}.away`;
    renameSync(merger.origin, away);
    const starting = merger.again();
    await merger.service.says("the origin cannot be opened yet");
    expect(merger.service.output()).toContain("GIT_REPO_URL");
    renameSync(away, merger.origin);
    await starting;
    expect(await merger.outcome(attempt.taskId)).toMatchObject({ kind: "landed" });
    expect(await merger.service.stop()).toBe(0);
    expect(git(merger.origin, "fsck", "--strict", "--no-dangling")).toBe("");
    expect(new Set(merger.landed()).size).toBe(merger.landed().length);
  });
});
