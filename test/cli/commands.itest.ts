import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { DEFAULT_REPO } from "@agentswarm/contracts";
import { consume, createSender, jobState } from "@agentswarm/queue";
import { pendingBodies } from "../support/queue.ts";
import { makeKey } from "../../services/api/testing/make-key.ts";
import { startApi, type TestApi } from "../../services/api/testing/start-api.ts";
import { HELD, openEmitter } from "../../services/api/testing/emit-events.ts";
import { waitUntil } from "../support/wait-until.ts";
import { runSwarm, startSwarm } from "./run-swarm.ts";

let api: TestApi;
let emit: ReturnType<typeof openEmitter>;
const env = () => ({ SWARM_URL: api.url });
const swarm = (...args: string[]) => runSwarm(args, env());
/** Runs with --json: its stdout is one JSON value on one line, its stderr empty. */
const json = async (...args: string[]) => {
  const { code, stdout, stderr } = await swarm(...args, "--json");
  expect([args, code, stderr]).toEqual([args, 0, ""]);
  expect(stdout.trimEnd().split("\n")).toHaveLength(1);
  return JSON.parse(stdout) as Record<string, unknown>;
};
const planned = () => pendingBodies(api.connection, "plan") as Promise<unknown[]>;

beforeAll(async () => {
  api = await startApi();
  emit = openEmitter(api);
});
afterAll(() => api[Symbol.asyncDispose]());

test("submit prints the id only and sends the feature to the planner", async () => {
  const file = join(api.home, "feature.md");
  writeFileSync(file, "# From a file\n");
  const acceptance = ["-a", "It is dark", "-a", "It is quiet"];
  const { code, stdout, stderr } = await swarm(
    "submit",
    "Dark mode",
    "--file",
    file,
    "-p",
    "2",
    ...acceptance,
  );
  expect([code, stderr]).toEqual([0, ""]);
  expect(stdout).toMatch(/^feature-[a-z0-9]+\n$/);
  expect(await planned()).toContainEqual({
    kind: "feature",
    feature: expect.objectContaining({
      id: stdout.trim(),
      title: "Dark mode",
      description: "# From a file",
      priority: 2,
      acceptance: ["It is dark", "It is quiet"],
    }),
  });
});

test("the same --idempotency-key submits once", async () => {
  const once = await json("submit", "Once", "--idempotency-key", "k");
  expect(await json("submit", "Once", "--idempotency-key", "k")).toEqual(once);
  const other = await swarm("submit", "Another", "--idempotency-key", "k");
  expect([other.code, other.stdout]).toEqual([1, ""]);
  expect(other.stderr).toContain("this Idempotency-Key was used for another feature");
});

test("status shows the whole swarm, or one feature with its tasks", async () => {
  const { featureId } = await emit.task("shown-task", "failed", {
    title: "Paint\n✓ forged line \u001b]52;c;x\u0007",
  });
  const whole = await swarm("status");
  expect(whole.code).toBe(0);
  // With the id, which the other commands take.
  expect(whole.stdout).toContain(`${featureId}  The feature of shown-task`);
  expect(whole.stdout).toContain("agents at work 0");
  expect(await json("status")).toMatchObject({ agents: { live: 0 }, services: { api: 1 } });

  const one = await swarm("status", featureId);
  // Text of models and users adds no line and moves no cursor.
  expect(one.stdout).toBe(
    `queued  ${featureId}  The feature of shown-task\n  failed     shown-task  Paint ✓ forged line\n`,
  );
  expect(await json("status", featureId)).toMatchObject({ id: featureId, tasks: [{ id: "shown-task" }] });
});

test("cancel, retry and approve send their command to the planner", async () => {
  const { featureId } = await emit.task("open-task", "running");
  const { featureId: failed } = await emit.task("failed-task", "failed");
  await emit.feature(failed, "failed", 3);
  await emit.task("held-task", "held");
  expect(await swarm("cancel", featureId)).toEqual({ code: 0, stdout: `cancel: ${featureId}\n`, stderr: "" });
  expect(await json("retry", "failed-task")).toEqual({ id: "failed-task", url: "/v1/tasks/failed-task" });
  expect(await json("retry", failed)).toEqual({ id: failed, url: `/v1/features/${failed}` });
  expect((await swarm("approve", "held-task", "--refuse", "--reason", "Not like this")).code).toBe(0);
  await json("approve", "held-task");
  const asker = { by: "local", via: "cli" };
  expect(await planned()).toEqual(
    expect.arrayContaining([
      { kind: "cancel", featureId, why: "", ...asker },
      { kind: "retry", taskId: "failed-task", ...asker },
      { kind: "retry-feature", featureId: failed, ...asker },
      {
        kind: "approve",
        taskId: "held-task",
        decision: "refuse",
        reason: "Not like this",
        ...asker,
        head: HELD,
      },
      { kind: "approve", taskId: "held-task", decision: "approve", ...asker, head: HELD },
    ]),
  );
});

test.each([
  ["status", "feature-none", "there is no feature feature-none"],
  ["watch", "feature-none", "there is no feature feature-none"],
  ["cancel", "feature-none", "there is no task or feature feature-none"],
  ["logs", "task-none", "there is no task task-none"],
  ["retry", "task-none", "there is no task or feature task-none"],
  ["approve", "../../etc", "id"],
])("%s %s is refused: exit code 1, the reason on stderr", async (command, id, reason) => {
  const { code, stdout, stderr } = await swarm(command, id, "--json");
  expect([code, stdout]).toEqual([1, ""]);
  expect(stderr).toContain(reason);
});

test("logs shows a task's attempts, or its transcript unchanged", async () => {
  const task = await emit.task("logged-task", "landed");
  await emit.attemptEnded(task, 1, { end: "failed", reason: "the check is red" });
  await emit.attemptEnded(task, 2);
  await waitUntil("both attempts", 20_000, async () => {
    const { attempts } = (await json("logs", "logged-task")) as { attempts: unknown[] };
    return attempts.length === 2 ? true : null;
  });
  expect((await swarm("logs", "logged-task")).stdout).toBe(
    "landed  Task logged-task\n  attempt 1: failed — the check is red\n  attempt 2: submitted — It is done\n",
  );
  // The task has ended, so following it ends at once.
  expect((await swarm("logs", "logged-task", "--follow")).code).toBe(0);

  const folder = join(api.home, "artifacts/transcripts/logged-task");
  mkdirSync(folder, { recursive: true });
  const lines = '{"role":"user","text":"\\u001b[31m"}\n{"role":"model"}\n';
  writeFileSync(join(folder, "1.jsonl"), lines);
  expect((await swarm("logs", "logged-task", "-t", "--attempt", "1")).stdout).toBe(lines);
});

test("diff shows what a feature changes, or the newest attempt of a task that has commits", async () => {
  const task = await emit.task("diff-task", "held");
  await emit.attemptEnded(task, 1, { headCommit: "c".repeat(40) });
  await emit.attemptEnded(task, 2);
  await waitUntil("both attempts", 20_000, async () => {
    const shown = (await (await api.ask("/v1/tasks/diff-task")).json()) as { attempts: unknown[] };
    return shown.attempts.length === 2 ? true : null;
  });
  const folder = join(api.home, "artifacts/transcripts/diff-task");
  mkdirSync(folder, { recursive: true });
  const [stat, patch] = [
    "# Task diff-task, attempt 1: Do it\n\n1\t0\ta.js\n\n",
    "diff --git a/a.js b/a.js\n+let a;\n",
  ];
  writeFileSync(join(folder, "1.diff"), stat + patch);
  expect((await swarm("diff", "diff-task", "--stat")).stdout).toBe(stat.trimEnd() + "\n");
  expect((await swarm("diff", task.featureId)).stdout).toContain(
    `attempt 1: not on the trunk\n${stat}${patch}`,
  );
});

test("logs --follow --json prints each event of the task as one line until its attempt ends", async () => {
  const task = await emit.task("live-task", "running");
  const following = startSwarm(["logs", "live-task", "--follow", "--json"], env());
  const about = { featureId: task.featureId, taskId: task.id, attempt: 1 };
  const lines = () => following.stdout().split("\n").filter(Boolean);
  // The command prints the task and then subscribes; it misses events from before its subscription.
  await waitUntil("an event", 20_000, async () => {
    await emit.event("attempt.progressed", about, { turn: 1, text: "reading" });
    return lines().length > 1 ? true : null;
  });
  await emit.event("attempt.progressed", { taskId: "another-task", attempt: 1 }, { turn: 1 });
  await emit.attemptEnded(task, 1);
  expect(await following.ended).toBe(0);
  const [first, ...events] = lines().map(
    (line) => JSON.parse(line) as { id: string; type?: string; taskId?: string },
  );
  expect(first?.id).toBe("live-task");
  expect(new Set(events.map((event) => event.taskId))).toEqual(new Set(["live-task"]));
  expect(events.at(-1)?.type).toBe("attempt.ended");
  expect(following.stderr()).toBe("");
});

test("events rebuild makes the views anew from the archive, and says how many", async () => {
  const { featureId } = await emit.task("rebuilt-task", "landed");
  const before = await json("status", featureId);
  const rebuilt = await swarm("events", "rebuild");
  expect(rebuilt).toMatchObject({ code: 0, stderr: "" });
  expect(rebuilt.stdout).toMatch(/^\d+ features and \d+ tasks from \d+ events since \d{4}-\d\d-\d\d\n$/);
  expect(await json("status", featureId)).toEqual(before);
});

test("jobs lists dead letters and puts one back into its queue", async () => {
  expect((await swarm("jobs")).stdout).toBe("no failed jobs\n");
  let broken = true;
  const handler = async () => {
    if (broken) throw new Error("a bug");
  };
  await using _consumer = await consume(api.connection, "sweep", handler, { concurrency: 1 });
  const sender = createSender(api.connection, "test");
  await sender.send("sweep", { why: "manual", repoId: DEFAULT_REPO }, { jobId: "broken-sweep" });
  const state = () => jobState(api.connection, "sweep", "broken-sweep");
  await waitUntil("the failure", 20_000, async () => ((await state()) === "failed" ? true : null));

  expect((await swarm("jobs", "list")).stdout).toMatch(
    /^\S+Z {2}sweep {2}broken-sweep {2}internal: a bug\n$/,
  );
  expect(await json("jobs")).toMatchObject({ jobs: [{ queue: "sweep", id: "broken-sweep" }] });
  broken = false;
  const retried = await swarm("jobs", "retry", "sweep", "broken-sweep");
  expect(retried).toEqual({ code: 0, stdout: "jobs retry: sweep broken-sweep\n", stderr: "" });
  await waitUntil("the retry", 20_000, async () => ((await state()) === "completed" ? true : null));
  expect((await swarm("jobs", "retry", "sweep", "none")).code).toBe(1);
  expect((await swarm("jobs", "retry", "nothing", "none")).code).toBe(2);
});

test("a missing or wrong key is refused with the name of the setting, a right one is accepted", async () => {
  await using locked = await startApi();
  const key = await makeKey(locked.env);
  const ask = (more: Record<string, string>) =>
    runSwarm(["status", "--json"], { SWARM_URL: locked.url, ...more });
  const missing = await ask({});
  expect([missing.code, missing.stdout]).toEqual([1, ""]);
  expect(missing.stderr).toContain("set SWARM_API_KEY");
  expect((await ask({ SWARM_API_KEY: `${key}0` })).stderr).toContain("correct SWARM_API_KEY");
  expect((await ask({ SWARM_API_KEY: key })).code).toBe(0);
});
