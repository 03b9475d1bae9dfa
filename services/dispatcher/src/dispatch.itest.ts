import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { jobId, subjectOf, type DomainEvent, type MessageOf, type Task } from "@agentswarm/contracts";
import { runGit } from "@agentswarm/git";
import { cancelJob, jobBody, jobState, openBudgets } from "@agentswarm/queue";
import { waitUntil } from "../../../test/support/wait-until.ts";
import { json, startBackend, USAGE, type ScriptedBackend } from "../../../test/support/scripted-backend.ts";
import { bullQueue, slotHolders } from "../../../test/support/queue.ts";
import { openSwarm, type TestSwarm } from "../testing/open-swarm.ts";

type Handoff = Extract<MessageOf<"plan">, { kind: "handoff" }>;

const ANSWER = {
  choices: [{ message: { role: "assistant", content: "hi" }, finish_reason: "stop" }],
  usage: USAGE,
};
const WITHIN_MS = 30_000;

let backend: ScriptedBackend;
let swarm: TestSwarm;
let dispatcher: AsyncDisposable;
/** A task whose job another worker has; the dispatcher learns it when it renews the lock, after some seconds. */
let stolen: Task;
beforeAll(async () => {
  backend = await startBackend(json(200, ANSWER));
  swarm = await openSwarm(backend.baseUrl);
  dispatcher = await swarm.dispatcher();
  stolen = await stealJob();
});
afterAll(async () => {
  await dispatcher[Symbol.asyncDispose]();
  // No sandbox, no slot and no result file remains.
  expect(readdirSync(join(swarm.home, "sandboxes"))).toEqual([]);
  expect(await slotHolders(swarm.connection, "attempts")).toEqual([]);
  expect(readdirSync(join(swarm.home, "bundles")).filter((name) => name.startsWith("result-"))).toEqual([]);
  await swarm[Symbol.asyncDispose]();
  await backend[Symbol.asyncDispose]();
});

/** Sends a task, and makes its job that of another worker while its agent is at work. */
async function stealJob(): Promise<Task> {
  const task = await swarm.submit("wait");
  await waitUntil("a progress event", WITHIN_MS, async () =>
    typesOf(await eventsOf(task)).has("attempt.progressed") ? true : null,
  );
  const { redis } = swarm.connection;
  const job = bullQueue(swarm.connection, "task").toKey(jobId.task(task.id, 1));
  await redis.multi().set(`${job}:lock`, "another").hset(job, "pb", `${swarm.connection.id}/1`).exec();
  return task;
}

const refsOf = async (task: Task) => {
  const store = join(swarm.home, "store.git");
  return (
    await runGit(["for-each-ref", "--format=%(refname)", `refs/swarm/${task.id}/`], { cwd: store })
  ).stdout.trim();
};
const toMerger = (task: Task, attempt = 1, within = swarm) =>
  waitUntil(`a merge request of ${task.description}`, WITHIN_MS, () =>
    jobBody(within.connection, "merge", jobId.merge(task.id, attempt)),
  );
const toPlanner = async (task: Task, attempt = 1, within = swarm): Promise<Handoff> => {
  const id = jobId.handoff(task.id, attempt);
  const ask = () => jobBody(within.connection, "plan", id);
  return (await waitUntil(`a handoff of ${task.description}`, WITHIN_MS, ask)) as Handoff;
};
async function eventsOf(task: Task, within = swarm): Promise<DomainEvent[]> {
  const jobs = await bullQueue(within.connection, "event").getJobs();
  const events = jobs.map((job) => (job.data as { body: DomainEvent }).body);
  return events.filter((event) => subjectOf(event).taskId === task.id);
}
const typesOf = (events: DomainEvent[]) => new Set(events.map((event) => event.type));

test("work goes to the merger with measured figures instead of claimed ones", async () => {
  const task = await swarm.submit("work");
  const request = await toMerger(task);
  expect(request.ref).toBe(`refs/swarm/${task.id}/1`);
  expect(await refsOf(task)).toBe(request.ref);
  const { handoff } = request;
  expect(handoff).toMatchObject({
    outcome: "complete",
    end: "submitted",
    filesChanged: ["work.txt"],
    model: "glm-5",
  });
  expect(handoff.metrics).toMatchObject({
    linesAdded: 2,
    linesRemoved: 0,
    filesCreated: 1,
    filesModified: 0,
    turns: 1,
  });
  expect(handoff.metrics).toMatchObject({ tokensIn: 1_000, tokensOut: 100, tokensCached: 400 });
  expect(handoff.metrics.costUsd).toBeLessThan(0.01);

  const transcript = join(swarm.home, "artifacts/transcripts", task.id, "1.jsonl");
  expect(readFileSync(transcript, "utf8")).toBe('{"type":"message","text":"hello"}\n');
  const diff = readFileSync(join(swarm.home, "artifacts/transcripts", task.id, "1.diff"), "utf8");
  expect(diff).toContain(`# Task ${task.id}, attempt 1: Do work\n# Base ${request.baseCommit}\n`);
  expect(diff).toContain(`# Head ${request.headCommit}\n\n2\t0\twork.txt\n\ndiff --git a/work.txt`);
  const types = ["attempt.started", "attempt.progressed", "model.used", "attempt.ended"];
  const events = await waitUntil("its events", WITHIN_MS, async () => {
    const found = await eventsOf(task);
    return types.every((type) => typesOf(found).has(type as DomainEvent["type"])) ? found : null;
  });
  const progressed = events.find((event) => event.type === "attempt.progressed");
  expect(progressed?.data).toEqual({ turn: 1, tool: "write", text: "work.txt" });
  expect(events.find((event) => event.type === "attempt.ended")?.data).toMatchObject({ sentTo: "merge" });
  const { logs } = await bullQueue(swarm.connection, "task").getJobLogs(jobId.task(task.id, 1));
  expect(logs.join("\n")).toContain("turn 1 write work.txt");
  await waitUntil("the job's end", WITHIN_MS, async () =>
    (await jobState(swarm.connection, "task", jobId.task(task.id, 1))) === "completed" ? true : null,
  );
});

test("commits that quarantine refuses are unsafe and are not stored", async () => {
  for (const act of ["truncated", "unsafe"]) {
    const task = await swarm.submit(act);
    const { handoff, outcome } = await toPlanner(task);
    expect(outcome).toMatchObject({ kind: "unsafe" });
    expect(handoff).toMatchObject({ outcome: "failed", end: "failed", headCommit: null });
    expect(handoff.reason).toContain("quarantine refused");
    expect(await refsOf(task)).toBe("");
  }
});

test.each([
  ["garbage", "failed", "cannot be read"],
  ["empty", "failed", "changed nothing"],
  ["no bundle", "failed", "no bundle"],
  ["claim lost", "failed", "lost"],
  ["crash", "lost", "exit 7): boom"],
  ["noise", "failed", "broke the protocol"],
])("%s ends as %s", async (act, end, reason) => {
  const { handoff, outcome } = await toPlanner(await swarm.submit(act));
  expect(outcome).toBeNull();
  // The reason comes first, because it explains a failure of this test.
  expect(handoff.reason).toContain(reason);
  expect(handoff).toMatchObject({ end, outcome: "failed", headCommit: null });
});

test("work that its agent gave up on is stored but not sent to the merger", async () => {
  const task = await swarm.submit("give up");
  const { handoff, outcome } = await toPlanner(task);
  expect(outcome).toBeNull();
  expect(handoff).toMatchObject({ end: "failed", reason: "could not do it", filesChanged: ["work.txt"] });
  expect(await refsOf(task)).toBe(`refs/swarm/${task.id}/1`);
  const ended = (await eventsOf(task)).find((event) => event.type === "attempt.ended");
  expect(ended?.data).toMatchObject({ sentTo: "plan" });
});

test("the work of a silent agent is salvaged after the agent is killed", async () => {
  const task = await swarm.submit("silence", { limits: { idleMs: 1_500 } });
  const { handoff } = await toPlanner(task);
  expect(handoff).toMatchObject({ end: "limit-reached", outcome: "failed", filesChanged: ["half.txt"] });
  expect(handoff.reason).toContain("no sign of life");
  expect(await refsOf(task)).toBe(`refs/swarm/${task.id}/1`);
});

test("a busy attempt ends at its wall time", async () => {
  const { handoff } = await toPlanner(await swarm.submit("wait", { limits: { wallMs: 1_000 } }));
  expect(handoff).toMatchObject({ end: "limit-reached" });
  expect(handoff.reason).toContain("wall time");
});

test("an attempt that reaches its own limit ends with limit-reached", async () => {
  const { handoff } = await toPlanner(await swarm.submit("spend", { limits: { tokens: 2_000 } }));
  expect(handoff).toMatchObject({ end: "limit-reached", reason: "the limit of 2000 tokens was reached" });
  expect(handoff.metrics.tokensIn).toBe(2_000);
});

test("a used-up feature's budget ends an attempt with budget, and the next sending opens no sandbox", async () => {
  using budgets = openBudgets(swarm.connection, {});
  await budgets.setFeatureCap("feature-poor", { tokens: 2_000 }, 1);
  const task = await swarm.submit("spend", { featureId: "feature-poor" });
  const { handoff, outcome } = await toPlanner(task);
  const why = "the feature's budget.tokens=2000 is used up (2200)";
  expect(outcome).toBeNull();
  expect(handoff).toMatchObject({
    end: "budget",
    outcome: "failed",
    reason: why,
    metrics: { tokensIn: 2_000 },
  });
  const reached = await waitUntil(
    "the event",
    WITHIN_MS,
    async () => (await eventsOf(task)).find((event) => event.type === "budget.reached") ?? null,
  );
  expect(reached.data).toEqual({ level: "feature", why });

  const next = await swarm.submit("work", { featureId: "feature-poor" });
  expect((await toPlanner(next)).handoff).toMatchObject({ end: "budget", reason: why, model: "none" });
  expect(typesOf(await eventsOf(next))).toEqual(new Set());
});

test("a sandbox gets 404 for other paths than the door has, and 401 without its key", async () => {
  const { handoff } = await toPlanner(await swarm.submit("probe"));
  expect(handoff).toMatchObject({ outcome: "blocked", summary: "404 404 404 404 401" });
});

test("a cancelled attempt is killed and ends with cancelled", async () => {
  const task = await swarm.submit("wait");
  await waitUntil("a progress event", WITHIN_MS, async () =>
    typesOf(await eventsOf(task)).has("attempt.progressed") ? true : null,
  );
  await cancelJob(swarm.connection, "task", jobId.task(task.id, 1));
  expect((await toPlanner(task)).handoff).toMatchObject({ end: "cancelled" });
});

test("an approved attempt is sent to the merger again without an agent", async () => {
  const task = await swarm.submit("work");
  const { handoff, baseCommit } = await toMerger(task);
  const head = handoff.headCommit ?? undefined;
  const approved = { by: "a-person", head, attempt: 1, baseCommit, handoff };
  await swarm.sender.send("task", { task, round: 2, approved }, { jobId: jobId.task(task.id, 2) });
  const again = await waitUntil("the approved request", WITHIN_MS, () =>
    jobBody(swarm.connection, "merge", jobId.merge(task.id, 1, true)),
  );
  expect(again).toMatchObject({ approvedBy: "a-person", approvedHead: head, attempt: 1 });
  const endings = (await eventsOf(task)).flatMap((event) =>
    event.type === "attempt.ended" ? [event.data] : [],
  );
  expect(endings.map(({ round, sentTo }) => [round, sentTo] as const).toSorted(([a], [b]) => a - b)).toEqual([
    [1, "merge"],
    [2, "merge"],
  ]);
});

test("the same round sent twice runs one agent", async () => {
  const task = await swarm.submit("work");
  await toMerger(task);
  await swarm.sender.send("task", { task, round: 1 }, { jobId: `again-${task.id}` });
  const done = await waitUntil("the second job's end", WITHIN_MS, async () => {
    const job = await bullQueue(swarm.connection, "task").getJob(`again-${task.id}`);
    return job?.returnvalue ?? null;
  });
  expect(done).toBe("attempt 1 was sent before");
  expect(existsSync(join(swarm.home, "artifacts/transcripts", task.id, "2.jsonl"))).toBe(false);
});

test("attempt numbers go on above those in the store when Redis has lost its own", async () => {
  const task = await swarm.submit("work");
  await toMerger(task);
  await swarm.connection.redis.hdel(swarm.connection.key("counters"), `attempts-${task.id}`);
  await swarm.sender.send("task", { task, round: 2 }, { jobId: jobId.task(task.id, 2) });
  expect((await toMerger(task, 2)).handoff).toMatchObject({ attempt: 2, round: 2 });
  expect((await refsOf(task)).split("\n")).toHaveLength(2);
});

test("fault 7: an attempt whose job another worker has by now ends as lost and passes nothing on", async () => {
  const ended = await waitUntil("the attempt's end", WITHIN_MS, async () => {
    const found = (await eventsOf(stolen)).find(({ type }) => type === "attempt.ended");
    return found?.type === "attempt.ended" ? found : null;
  });
  expect(ended.data).toMatchObject({ end: "lost", reason: "the job was released: lost" });
  expect(await jobState(swarm.connection, "plan", jobId.handoff(stolen.id, 1))).toBe("missing");
  expect(await jobState(swarm.connection, "merge", jobId.merge(stolen.id, 1))).toBe("missing");
  // The other worker's job is as it was.
  expect(await jobState(swarm.connection, "task", jobId.task(stolen.id, 1))).toBe("active");
});
