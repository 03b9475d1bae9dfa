import { cp, mkdir, mkdtemp, readFile, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { findChecks } from "@agentswarm/checks";
import { runGit } from "@agentswarm/git";
import {
  inOrder,
  play,
  readRecording,
  runIn,
  type RecordedTask,
  type Recording,
} from "./testing/play-recording.ts";

const ROOT = join(import.meta.dirname, "../..");
const FIX = "trunk-health/give-fast-forward-a-key-of-its-own/fix";
const CLASH = "KeyF is claimed by src/controls/fast-forward.ts and by src/controls/fly.ts";
const IDENTITY = ["-c", "user.name=Recording", "-c", "user.email=recording@agentswarm.invalid"];

let home = "";
let recording: Recording;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "swarm-recording-"));
  recording = await readRecording();
  // The same versions of the compiler and the bundler as in the target's lockfile.
  await symlink(join(ROOT, "node_modules"), join(home, "node_modules"));
});
afterAll(() => rm(home, { recursive: true, force: true }));

const git = async (dir: string, ...args: string[]) =>
  (await runGit([...IDENTITY, ...args], { cwd: dir })).stdout.trim();

async function commitAll(dir: string, message: string): Promise<string> {
  await git(dir, "add", "--all");
  await git(dir, "commit", "--quiet", "-m", message);
  return git(dir, "rev-parse", "HEAD");
}

async function seed(name: string): Promise<string> {
  const dir = join(home, name);
  await mkdir(dir);
  await cp(join(ROOT, "target-repo"), dir, {
    recursive: true,
    filter: (path) => !/\/(node_modules|dist)$/.test(path),
  });
  await git(dir, "init", "--quiet", "--initial-branch=main");
  await commitAll(dir, "Seed the target");
  return dir;
}

/** Runs the target's own checks. Returns the output of the first that fails, or null. */
async function failureOf(dir: string, which: "gate" | "sweep"): Promise<string | null> {
  const { settings } = await findChecks((path) => readFile(join(dir, path), "utf8").catch(() => null));
  const runs = await Promise.all(settings.checks[which].map(({ command }) => runIn(dir, command)));
  return runs.find(({ exitCode }) => exitCode !== 0)?.output ?? null;
}

/** Lands all tasks in the given order, as {@link landTask} does. Returns the tasks that conflicted. */
async function land(dir: string, tasks: readonly RecordedTask[], onSubmit?: OnSubmit): Promise<string[]> {
  const bases = new Map<string, string>();
  const conflicts: string[] = [];
  for (const task of tasks) if (await landTask(dir, task, bases, onSubmit)) conflicts.push(task.work.key);
  return conflicts;
}

type OnSubmit = (task: RecordedTask, count: number, of: number) => Promise<void>;

/**
 * Lands one task. Of two tasks that wait for one another, the second is built on the base of the first and must
 * conflict; its resolve is then played on the conflict. Returns whether it conflicted.
 */
async function landTask(
  dir: string,
  task: RecordedTask,
  bases: Map<string, string>,
  onSubmit?: OnSubmit,
): Promise<boolean> {
  const head = await git(dir, "rev-parse", "HEAD");
  const base = task.work.waitFor.map((key) => bases.get(key)).find((commit) => commit !== undefined) ?? head;
  bases.set(task.work.key, base);
  const written = new Set<string>();
  const options = {
    onWrite: (path: string) => written.add(path),
    onSubmit: async (count: number, of: number) => onSubmit?.(task, count, of),
  };
  await git(dir, "checkout", "--quiet", "-B", "attempt", base);
  await play(dir, task.work, options);
  const attempt = await commitAll(dir, task.key);
  await git(dir, "checkout", "--quiet", "main");
  const conflicts = base !== head;
  if (conflicts) {
    await expect(git(dir, "merge-tree", "--write-tree", "main", attempt)).rejects.toThrow();
    await runGit([...IDENTITY, "merge", "--quiet", "--no-commit", attempt], { cwd: dir, answers: [1] });
    expect(task.resolve).toBeDefined();
    await play(dir, task.resolve!, options);
    await commitAll(dir, `${task.key}-resolve`);
  } else {
    await git(dir, "merge", "--quiet", "--ff-only", attempt);
  }
  expect([...written].filter((path) => !task.scope.includes(path))).toEqual([]);
  return conflicts;
}

const treeOf = (dir: string) => git(dir, "rev-parse", "HEAD^{tree}");

test("every feature has a plan, work and an acceptance, with one fixed attempt and one pair that conflicts", () => {
  expect(recording.features.length).toBeGreaterThanOrEqual(8);
  expect(recording.tasks.length).toBeGreaterThanOrEqual(20);
  for (const feature of recording.features) {
    expect(recording.entry(`${feature}/-/accept`)?.answer).toMatchObject({ met: true, tasks: [] });
  }
  const submits = (task: RecordedTask) =>
    task.work.steps?.flatMap(({ calls }) => calls).filter(({ tool }) => tool === "submit").length;
  expect(recording.tasks.filter((task) => submits(task) === 2).map(({ key }) => key)).toEqual(["raycast"]);
  for (const { work, resolve } of recording.tasks.filter(({ work }) => work.waitFor.length > 0)) {
    expect(recording.entry(work.waitFor[0]!)?.waitFor).toEqual([work.key]);
    expect(resolve).toBeDefined();
  }
});

// That the gate accepts every attempt, one landing after another, is shown by the journeys that run this recording.
test("all tasks land in either order, the fix repairs what two of them break together, and one attempt needs two submits", async () => {
  const forwards = await seed("forwards");
  expect(await failureOf(forwards, "gate")).toBeNull();
  expect(await failureOf(forwards, "sweep")).toBeNull();
  const conflicts = await land(forwards, inOrder(recording.tasks), async (_, count, of) => {
    if (of === 1) return;
    const failure = await failureOf(forwards, "gate");
    if (count === of) expect(failure).toBeNull();
    else expect(failure).toContain("failing tests");
  });
  expect(conflicts).toEqual(["crafting/building-blocks/work"]);

  const backwards = await seed("backwards");
  const turned = await land(backwards, inOrder(recording.tasks.toReversed()));
  expect(turned).toEqual(["terrain-generation/natural-blocks/work"]);
  expect(await treeOf(backwards)).toBe(await treeOf(forwards));

  expect(await failureOf(backwards, "gate")).toBeNull();
  expect(await failureOf(backwards, "sweep")).toContain(CLASH);
  await play(backwards, recording.entry(FIX)!, { withShell: true });
  expect(await failureOf(backwards, "gate")).toBeNull();
  expect(await failureOf(backwards, "sweep")).toBeNull();
});
