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

const together = async (dir: string) => (await runIn(dir, 'node --test "checks/**/*.test.ts"')).output;

/**
 * Lands all tasks in the given order. Of two tasks that wait for one another, the second is built on the base of the
 * first and must conflict; its resolve is then played on the conflict.
 */
async function land(
  dir: string,
  tasks: readonly RecordedTask[],
  look?: (task: RecordedTask) => Promise<void>,
) {
  const bases = new Map<string, string>();
  const conflicts: string[] = [];
  const onSubmit = async (count: number, of: number) => {
    if (look === undefined) return;
    const failure = await failureOf(dir, "gate");
    if (count === of) expect(failure).toBeNull();
    else expect(failure).toContain("failing tests");
  };
  for (const task of tasks) {
    const head = await git(dir, "rev-parse", "HEAD");
    const base =
      task.work.waitFor.map((key) => bases.get(key)).find((commit) => commit !== undefined) ?? head;
    bases.set(task.work.key, base);
    const written = new Set<string>();
    const options = { withShell: look !== undefined, onSubmit, onWrite: (path: string) => written.add(path) };
    await git(dir, "checkout", "--quiet", "-B", "attempt", base);
    await play(dir, task.work, options);
    const attempt = await commitAll(dir, task.key);
    await git(dir, "checkout", "--quiet", "main");
    if (base === head) {
      await git(dir, "merge", "--quiet", "--ff-only", attempt);
    } else {
      await expect(git(dir, "merge-tree", "--write-tree", "main", attempt)).rejects.toThrow();
      conflicts.push(task.work.key);
      await runGit([...IDENTITY, "merge", "--quiet", "--no-commit", attempt], { cwd: dir, answers: [1] });
      expect(task.resolve).toBeDefined();
      await play(dir, task.resolve!, options);
      await commitAll(dir, `${task.key}-resolve`);
    }
    expect([...written].filter((path) => !task.scope.includes(path))).toEqual([]);
    await look?.(task);
  }
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

test(
  "all tasks land in either order, and the fix makes the sweep green that two tasks with one key made red",
  { timeout: 240_000 },
  async () => {
    const forwards = await seed("forwards");
    expect(await failureOf(forwards, "gate")).toBeNull();
    expect(await failureOf(forwards, "sweep")).toBeNull();
    const controls = new Set<string>();
    const conflicts = await land(forwards, inOrder(recording.tasks), async ({ key }) => {
      controls.add(key);
      const clashes = controls.has("fly") && controls.has("fast-forward");
      const output = await together(forwards);
      if (clashes) expect(output).toContain(CLASH);
      else expect(output).toMatch(/fail 0\b/);
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
  },
);
