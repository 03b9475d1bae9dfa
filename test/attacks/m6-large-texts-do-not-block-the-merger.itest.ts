import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openLandingEngine, type BuiltLanding } from "@agentswarm/git";

/** Finding M6: the merge of two texts of 50 MiB blocked the merger for 47 s, three times as long as its lease. */
let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "swarm-m6-"));
  git("", "init", "-q", "--bare", "-b", "main");
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const MAX_BLOCKED_MS = 200;

function git(input: string, ...args: string[]): string {
  const who = ["-c", "user.name=Agent", "-c", "user.email=agent@example.com"];
  return execFileSync("git", [...who, ...args], { cwd: dir, input, encoding: "utf8" }).trim();
}

function commit(content: string, ...parents: string[]): string {
  const blob = git(content, "hash-object", "-w", "--stdin");
  const tree = git(`100644 blob ${blob}\ttext\n100644 blob ${blob}\tz\n`, "mktree");
  return git("m", "commit-tree", tree, ...parents.flatMap((parent) => ["-p", parent]));
}

/** Merges two changes of one text. Returns what was built, and how long the event loop was blocked at most. */
async function land(text: string, ours: string, theirs: string) {
  const base = commit(text);
  const [tip, head] = [commit(ours, base), commit(theirs, base)];
  using engine = openLandingEngine({ dir, strategy: "squash" });
  const trailers = { taskId: "t", featureId: "f", attempt: 1, model: "m", costUsd: 0 };
  let built;
  const blockedMs = await longestTurn(async () => {
    [built] = await engine.build(tip, [{ base, head, title: "t", trailers }]);
  });
  return { built: built as BuiltLanding | undefined, blockedMs };
}

/**
 * The CPU time, in milliseconds, that this thread took between two turns of a timer at most: how long `run` blocked the
 * event loop. CPU time, because on a busy machine the time until the next turn says nothing about the code.
 */
async function longestTurn(run: () => Promise<void>): Promise<number> {
  const used = () => {
    const { user, system } = process.threadCpuUsage();
    return (user + system) / 1_000;
  };
  let longest = 0;
  let before = used();
  const timer = setInterval(() => {
    const now = used();
    longest = Math.max(longest, now - before);
    before = now;
  }, 5);
  try {
    await run();
  } finally {
    clearInterval(timer);
  }
  return Math.max(longest, used() - before);
}

const lines = (bytes: number, line: (nth: number) => string) =>
  Array.from({ length: Math.ceil(bytes / line(0).length) }, (_, nth) => line(nth)).join("");

test("two texts of 20 MiB with changes that are apart are merged while the service goes on", async () => {
  const text = lines(20 << 20, (nth) => `${nth.toString().padStart(8, "0")} ${"-".repeat(70)}\n`);
  const { built, blockedMs } = await land(text, `first\n${text}`, `${text}last\n`);
  if (built?.kind !== "built") throw new Error(JSON.stringify(built));
  expect(git("", "rev-parse", `${built.commit}:text`)).toBe(
    git(`first\n${text}last\n`, "hash-object", "--stdin"),
  );
  expect(blockedMs).toBeLessThan(MAX_BLOCKED_MS);
});

test("two texts of 20 MiB of short lines are merged or in conflict while the service goes on", async () => {
  const text = lines(20 << 20, (nth) => `${(nth % 7).toString()}\n`);
  const { built, blockedMs } = await land(text, `a\n${text}`, `${text}b\n`);
  expect(["built", "conflict"]).toContain(built?.kind);
  expect(blockedMs).toBeLessThan(MAX_BLOCKED_MS);
});

test("a text of more than 32 MiB that both sides changed is a conflict", async () => {
  const text = lines(33 << 20, (nth) => `${nth.toString().padStart(8, "0")} ${"-".repeat(70)}\n`);
  const { built, blockedMs } = await land(text, `first\n${text}`, `${text}last\n`);
  expect(built).toMatchObject({ kind: "conflict", paths: [{ path: "text" }, { path: "z" }] });
  expect(blockedMs).toBeLessThan(MAX_BLOCKED_MS);
});
