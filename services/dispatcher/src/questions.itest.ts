import { readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { jobId, type MessageOf, type Note, type Task } from "@agentswarm/contracts";
import { questionIdOf } from "@agentswarm/contracts/node";
import { runGit } from "@agentswarm/git";
import { jobBody, signalJob } from "@agentswarm/queue";
import { slotHolders } from "../../../test/support/queue.ts";
import { json, startBackend, USAGE, type ScriptedBackend } from "../../../test/support/scripted-backend.ts";
import { waitUntil } from "../../../test/support/wait-until.ts";
import { openSwarm, type TestSwarm } from "../testing/open-swarm.ts";

type PlanMessage<K extends MessageOf<"plan">["kind"]> = Extract<MessageOf<"plan">, { kind: K }>;

const WITHIN_MS = 30_000;
const ANSWER = {
  choices: [{ message: { role: "assistant", content: "hi" }, finish_reason: "stop" }],
  usage: USAGE,
};

let backend: ScriptedBackend;
let swarm: TestSwarm;
beforeAll(async () => {
  backend = await startBackend(json(200, ANSWER));
  swarm = await openSwarm(backend.baseUrl);
});
afterAll(async () => {
  await swarm[Symbol.asyncDispose]();
  await backend[Symbol.asyncDispose]();
});

const planMessage = async <K extends "handoff" | "question">(id: string, what: K): Promise<PlanMessage<K>> =>
  (await waitUntil(`${what} ${id}`, WITHIN_MS, () =>
    jobBody(swarm.connection, "plan", id),
  )) as PlanMessage<K>;
const handoffOf = async (task: Task, attempt = 1) =>
  (await planMessage(jobId.handoff(task.id, attempt), "handoff")).handoff;
const requestOf = (task: Task, attempt: number) =>
  waitUntil(`the merge request of ${task.description}`, WITHIN_MS, () =>
    jobBody(swarm.connection, "merge", jobId.merge(task.id, attempt)),
  );
const filesOf = async (commit: string) =>
  (await runGit(["ls-tree", "--name-only", commit], { cwd: join(swarm.home, "store.git") })).stdout
    .trim()
    .split("\n");

test("an attempt whose question nobody answers keeps its work, and holds neither a slot nor a sandbox", async () => {
  await using _dispatcher = await swarm.dispatcher({
    QUESTION_WAIT: "0.5",
    MAX_WORKERS: "1",
    WARM_POOL: "0",
  });
  const task = await swarm.submit("ask");
  const question = await planMessage(jobId.question(task.id, 1, 1), "question");
  expect(question).toMatchObject({
    attempt: 1,
    round: 1,
    nth: 1,
    ask: "Which port?",
    options: [],
    default: "80",
  });
  const handoff = await handoffOf(task);
  expect(handoff).toMatchObject({
    end: "parked",
    outcome: "blocked",
    reason: "waits for an answer: Which port?",
    waitsFor: { question: { ask: "Which port?", options: [], default: "80" } },
    filesChanged: ["half.txt"],
  });
  expect(await filesOf(handoff.headCommit ?? "")).toContain("half.txt");
  await waitUntil("a free slot", WITHIN_MS, async () =>
    (await slotHolders(swarm.connection, "attempts")).length === 0 ? true : null,
  );
  expect(readdirSync(join(swarm.home, "sandboxes"))).toEqual([]);

  // Its answer opens the next round upon its work; the default that holds is said in the merge request.
  const upon = {
    attempt: 1,
    baseCommit: handoff.waitsFor?.baseCommit ?? "",
    headCommit: handoff.headCommit ?? "",
  };
  const answers = [{ decisionId: "d-1", question: "Which port?", answer: "80", by: null }];
  await swarm.sender.send("task", { task, round: 2, upon, answers }, { jobId: jobId.task(task.id, 2) });
  const request = await requestOf(task, 2);
  expect(request.byDefault).toEqual(["Which port? – 80"]);
  expect(request.handoff).toMatchObject({ end: "submitted", filesChanged: ["answer.txt", "half.txt"] });

  // An agent that dies instead of handing over loses nothing.
  const dead = await handoffOf(await swarm.submit("ask and die"));
  expect(dead).toMatchObject({ end: "parked", outcome: "blocked", filesChanged: ["half.txt"] });
  // Blocked is a question too, and its work is kept likewise.
  const blocked = await handoffOf(await swarm.submit("ask for a key"));
  expect(blocked).toMatchObject({
    end: "submitted",
    outcome: "blocked",
    summary: "The key is missing.",
    waitsFor: { question: null },
    filesChanged: ["half.txt"],
  });
});

test("an answer goes to the agent that waits, also when the dispatcher was restarted meanwhile", async () => {
  const settings = { QUESTION_WAIT: "600", WARM_POOL: "0" };
  const first = await swarm.dispatcher(settings);
  const task = await swarm.submit("ask", { limits: { idleMs: 2_000 } });
  await planMessage(jobId.question(task.id, 1, 1), "question");
  await first[Symbol.asyncDispose]();
  await using _second = await swarm.dispatcher(settings);
  // The attempt in its place asks the same.
  await planMessage(jobId.question(task.id, 2, 1), "question");
  // It is silent for longer than its idle time: it waits for people.
  await new Promise((done) => setTimeout(done, 2_500));
  const note: Note = {
    id: "n-1",
    by: "ada",
    via: "cli",
    at: 1,
    text: "ada answered: 443",
    mode: "steer",
    answers: questionIdOf(task.id, 1, "Which port?"),
  };
  await signalJob(swarm.connection, "task", jobId.task(task.id, 1), { notes: [note] });
  const { handoff, byDefault } = await requestOf(task, 2);
  expect(byDefault).toBeUndefined();
  expect(handoff).toMatchObject({ attempt: 2, end: "submitted", filesChanged: ["answer.txt", "half.txt"] });
});

test("an attempt that asks near the end of its wall time is parked before it", async () => {
  await using _dispatcher = await swarm.dispatcher({ QUESTION_WAIT: "600", WARM_POOL: "0" });
  // Less than the time that an agent gets to hand over its work.
  const handoff = await handoffOf(await swarm.submit("ask", { limits: { wallMs: 14_000 } }));
  expect(handoff).toMatchObject({ end: "parked", filesChanged: ["half.txt"] });
});
