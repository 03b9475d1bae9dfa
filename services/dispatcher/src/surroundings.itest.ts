import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { jobId, type Task } from "@agentswarm/contracts";
import { runGit } from "@agentswarm/git";
import { jobBody, openTrunkStates, openWaiting } from "@agentswarm/queue";
import { bullQueue } from "../../../test/support/queue.ts";
import { openPackageRegistry } from "../../../test/support/package-registry.ts";
import { json, startBackend, USAGE, type ScriptedBackend } from "../../../test/support/scripted-backend.ts";
import { waitUntil } from "../../../test/support/wait-until.ts";
import { openSwarm, type TestSwarm } from "../testing/open-swarm.ts";

const ANSWER = {
  choices: [{ message: { role: "assistant", content: "hi" }, finish_reason: "stop" }],
  usage: USAGE,
};
const WITHIN_MS = 30_000;

let backend: ScriptedBackend;
let swarm: TestSwarm;
beforeEach(async () => {
  backend = await startBackend(json(200, ANSWER));
  swarm = await openSwarm(backend.baseUrl, { exclusive: "the server is full" });
  return async () => {
    await swarm[Symbol.asyncDispose]();
    await backend[Symbol.asyncDispose]();
  };
});

const submitFive = () => Promise.all(Array.from({ length: 5 }, () => swarm.submit("work")));
const waitsFor = (task: Task, reason: RegExp) =>
  waitUntil(`a reason ${reason.source}`, WITHIN_MS, async () => {
    const waiting = (await openWaiting(swarm.connection).read()).task(task.featureId, task.id);
    return waiting !== null && reason.test(waiting.reason) ? waiting : null;
  });
const toMerger = (task: Task, attempt = 1) =>
  waitUntil(`a merge request of ${task.id}`, WITHIN_MS, () =>
    jobBody(swarm.connection, "merge", jobId.merge(task.id, attempt)),
  );
/** Nothing was charged: no handoff went to the planner, and nobody asked the model. */
const nothingIsCharged = async () => {
  expect(await bullQueue(swarm.connection, "plan").getJobs()).toEqual([]);
  expect(backend.asked).toEqual([]);
};
const git = async (...args: string[]) => (await runGit(args, { cwd: swarm.origin })).stdout.trim();

/** Pushes a commit of one file to the trunk, as a person does. */
async function push(path: string, text: string): Promise<void> {
  const blob = (
    await runGit(["hash-object", "-w", "--stdin"], { cwd: swarm.origin, input: text })
  ).stdout.trim();
  const entry = `100644 blob ${blob}\t${path}\n`;
  const tree = (await runGit(["mktree"], { cwd: swarm.origin, input: entry })).stdout.trim();
  const who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"];
  const commit = await git(...who, "commit-tree", "-m", `Change ${path}`, "-p", "main", tree);
  await git("update-ref", "refs/heads/main", commit);
}

test("with a comma missing in the trunk's swarm.json five tasks wait, and go on when it is there", async () => {
  await push("swarm.json", '{ "checks": { "gate": [] } "protected": [] }');
  await using _dispatcher = await swarm.dispatcher();
  const tasks = await submitFive();
  const waits = await Promise.all(tasks.map((task) => waitsFor(task, /swarm\.json is not JSON/)));
  expect(waits[0]).toMatchObject({ source: "operator", service: "dispatcher" });
  await nothingIsCharged();
  expect((await openWaiting(swarm.connection).read()).reasons()).toMatchObject([{ waits: 5 }]);

  await push("swarm.json", '{ "checks": { "gate": [] } }');
  for (const task of tasks) expect((await toMerger(task)).attempt).toBe(1);
  await expect.poll(async () => (await openWaiting(swarm.connection).read()).reasons()).toEqual([]);
});

test("with dependencies that npm refuses (ERESOLVE) tasks wait with npm's reason, and go on when they can be installed", async () => {
  await using registry = await openPackageRegistry([
    { manifest: { name: "host", version: "2.0.0" } },
    { manifest: { name: "plugin", version: "1.0.0", peerDependencies: { host: "^1.0.0" } } },
  ]);
  const depend = (dependencies: object) =>
    push("package.json", JSON.stringify({ name: "kit", dependencies }));
  await depend({ host: "^2.0.0", plugin: "^1.0.0" });
  await using _dispatcher = await swarm.dispatcher({ npm_config_registry: registry.url });
  const tasks = [await swarm.submit("work"), await swarm.submit("work")];
  for (const task of tasks) {
    const waiting = await waitsFor(task, /ERESOLVE/);
    expect(waiting).toMatchObject({ source: "operator", service: "dispatcher" });
    expect(waiting.reason).toContain("correct package.json or its lockfile on the trunk");
  }
  await nothingIsCharged();

  await depend({ host: "^2.0.0" });
  for (const task of tasks) expect((await toMerger(task)).attempt).toBe(1);
});

test("without the trunk's branch five tasks wait, and go on when it is back", async () => {
  await using _dispatcher = await swarm.dispatcher();
  const head = await git("rev-parse", "main");
  await git("update-ref", "-d", "refs/heads/main");
  const tasks = await submitFive();
  for (const task of tasks) await waitsFor(task, /has no branch main: set TRUNK/);
  await nothingIsCharged();

  await git("update-ref", "refs/heads/main", head);
  for (const task of tasks) expect((await toMerger(task)).attempt).toBe(1);
});

test("fault 19: an attempt whose commits find a full disk is not charged to its task, which runs again", async () => {
  await using _dispatcher = await swarm.dispatcher();
  const bundles = join(swarm.home, "bundles");
  mkdirSync(bundles, { recursive: true });
  for (const attempt of [1, 2]) symlinkSync("/dev/full", join(bundles, `result-task-1-${attempt}.bundle`));
  const task = await swarm.submit("work");
  const waiting = await waitsFor(task, /ENOSPC/);
  expect(waiting.reason).toContain("free space on the disk of SWARM_HOME");
  expect((await toMerger(task, 3)).handoff).toMatchObject({ attempt: 3, outcome: "complete" });
  expect(await bullQueue(swarm.connection, "plan").getJobs()).toEqual([]);
});

test("fault 15: an attempt that ends while Redis is full is handed over when it has room, and no agent runs again", async () => {
  await using _dispatcher = await swarm.dispatcher();
  const task = await swarm.submit("work and pause");
  await waitUntil("the agent", WITHIN_MS, async () =>
    (await bullQueue(swarm.connection, "task").getJobLogs(jobId.task(task.id, 1))).logs.some((line) =>
      line.includes("ready"),
    )
      ? true
      : null,
  );
  const { redis } = swarm.connection;
  await redis.config("SET", "maxmemory", "1");
  const store = join(swarm.home, "store.git");
  await waitUntil("its commits", WITHIN_MS, async () =>
    (await runGit(["for-each-ref", `refs/swarm/${task.id}/`], { cwd: store })).stdout === "" ? null : true,
  );
  // Longer than the first tries of the hand-over.
  await new Promise((done) => setTimeout(done, 300));
  expect(await jobBody(swarm.connection, "merge", jobId.merge(task.id, 1))).toBeNull();
  await redis.config("SET", "maxmemory", "0");
  expect((await toMerger(task)).attempt).toBe(1);
  await waitUntil("the job's end", WITHIN_MS, async () =>
    (await bullQueue(swarm.connection, "task").getJobState(jobId.task(task.id, 1))) === "completed"
      ? true
      : null,
  );
  expect(backend.asked).toHaveLength(1);
  expect(await bullQueue(swarm.connection, "plan").getJobs()).toEqual([]);
});

test("while the trunk is held no agent runs; its tasks go on when it is not", async () => {
  await using _dispatcher = await swarm.dispatcher();
  const states = openTrunkStates(swarm.connection);
  const head = await git("rev-parse", "main");
  const hold = "the trunk's own check `npm test` fails here before any change";
  await states.note("main", { head, hold, unchecked: null });
  const task = await swarm.submit("work");
  await waitsFor(task, /npm test.* fails here before any change/);
  await nothingIsCharged();
  await states.note("main", { head, hold: null, unchecked: null });
  expect((await toMerger(task)).attempt).toBe(1);
});
