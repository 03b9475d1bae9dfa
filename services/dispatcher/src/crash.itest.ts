import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { jobId, type Task } from "@agentswarm/contracts";
import { jobBody, jobState } from "@agentswarm/queue";
import { waitUntil } from "../../../test/support/wait-until.ts";
import { json, startBackend, USAGE, type ScriptedBackend } from "../../../test/support/scripted-backend.ts";
import { bullQueue } from "../../../test/support/queue.ts";
import { openSwarm, type TestSwarm } from "../testing/open-swarm.ts";

const ANSWER = {
  choices: [{ message: { role: "assistant", content: "hi" }, finish_reason: "stop" }],
  usage: USAGE,
};
const WITHIN_MS = 30_000;

let backend: ScriptedBackend;
let swarm: TestSwarm;
beforeAll(async () => {
  backend = await startBackend(json(200, ANSWER));
});
afterAll(() => backend[Symbol.asyncDispose]());
beforeEach(async () => {
  swarm = await openSwarm(backend.baseUrl);
});
afterEach(() => swarm[Symbol.asyncDispose]());

const state = (task: Task) => jobState(swarm.connection, "task", jobId.task(task.id, 1));
const completed = (task: Task) =>
  waitUntil("the job's end", WITHIN_MS, async () => ((await state(task)) === "completed" ? true : null));
const mergeRequests = () => bullQueue(swarm.connection, "merge").getJobs();
/** The sandboxes recorded as open, by their ids and labels. */
const recorded = () => {
  const dir = join(swarm.home, "sandboxes");
  return readdirSync(dir).flatMap((name) => {
    if (!name.endsWith(".json")) return [];
    const text = readFileSync(join(dir, name), "utf8");
    // The record may be just being written.
    if (text === "") return [];
    const { labels } = JSON.parse(text) as { labels: Record<string, string> };
    return [{ id: name.slice(0, -".json".length), labels }];
  });
};
/** The sandboxes of attempts; the others are the pool's. */
const sandboxes = () =>
  recorded()
    .filter(({ labels }) => labels["purpose"] === "agent")
    .map(({ labels }) => `${labels["task"]}/${labels["attempt"]}`);

test.each([
  "dispatcher.opened",
  "dispatcher.collected",
  "dispatcher.stored",
  "dispatcher.kept",
  "dispatcher.sent",
])(
  "fault 2: a dispatcher killed at %s leaves one merge request for the task and no sandbox",
  async (failpoint) => {
    const task = await swarm.submit("work");
    const doomed = swarm.process({ FAILPOINT: failpoint });
    const [, signal] = (await once(doomed, "exit")) as [number | null, string | null];
    expect(signal).toBe("SIGKILL");
    const left = recorded().map(({ id }) => id);
    expect(left.length).toBeGreaterThan(0);

    await using _next = await swarm.dispatcher();
    // The sandboxes of the dead dispatcher are removed before the first task is taken.
    expect(sandboxes().filter((name) => name === `${task.id}/1`)).toEqual([]);
    expect(recorded().filter(({ id }) => left.includes(id))).toEqual([]);
    await completed(task);
    // Work that was kept is handed over; no agent runs a second time for it.
    const isKept = failpoint === "dispatcher.kept" || failpoint === "dispatcher.sent";
    const attempt = isKept ? 1 : 2;
    expect((await mergeRequests()).map((job) => job.id)).toEqual([jobId.merge(task.id, attempt)]);
    const request = await jobBody(swarm.connection, "merge", jobId.merge(task.id, attempt));
    expect(request?.handoff).toMatchObject({ attempt, round: 1, outcome: "complete" });
    expect(sandboxes()).toEqual([]);
  },
);

test("at SIGTERM the jobs of running attempts are released within GRACE_MS", async () => {
  const [one, two] = [await swarm.submit("wait"), await swarm.submit("wait")];
  const stopping = swarm.process({ GRACE_MS: "10000" });
  await waitUntil("two sandboxes", WITHIN_MS, () => {
    return readdirSync(swarm.home).includes("sandboxes") && sandboxes().length === 2 ? true : null;
  });
  const startedAt = performance.now();
  stopping.kill("SIGTERM");
  const [code] = (await once(stopping, "exit")) as [number | null];
  expect(code).toBe(0);
  expect(performance.now() - startedAt).toBeLessThan(10_000);
  expect(await Promise.all([state(one), state(two)])).not.toContain("completed");
  expect(await bullQueue(swarm.connection, "plan").getJobs()).toEqual([]);
  expect(recorded()).toEqual([]);
});

test("two dispatchers together run no more attempts than MAX_WORKERS", async () => {
  const waiting = await swarm.submit("wait", { limits: { wallMs: 3_000 } });
  await using _one = await swarm.dispatcher({ MAX_WORKERS: "1" });
  await using _two = await swarm.dispatcher({ MAX_WORKERS: "1" });
  await waitUntil("a sandbox", WITHIN_MS, () => (sandboxes().length === 1 ? true : null));
  const next = await swarm.submit("work");
  const seen = new Set<number>();
  await waitUntil("the second task's end", WITHIN_MS, async () => {
    seen.add(sandboxes().length);
    return (await state(next)) === "completed" ? true : null;
  });
  expect(Math.max(...seen)).toBe(1);
  await completed(waiting);
});
