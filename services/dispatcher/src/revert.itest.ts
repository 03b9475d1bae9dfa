import { afterAll, beforeAll, expect, test } from "vitest";
import { jobId, taskSchema, type Task } from "@agentswarm/contracts";
import { runGit } from "@agentswarm/git";
import { jobBody, jobState, type QueueConnection } from "@agentswarm/queue";
import { commitFiles } from "../../../test/support/commit-files.ts";
import { bullQueue } from "../../../test/support/queue.ts";
import { waitUntil } from "../../../test/support/wait-until.ts";
import { openSwarm, type TestSwarm } from "../testing/open-swarm.ts";

const WITHIN_MS = 30_000;
const NO_MODEL = "http://127.0.0.1:9/v1";

let swarm: TestSwarm;
let connection: QueueConnection;
let dispatcher: AsyncDisposable;
beforeAll(async () => {
  swarm = await openSwarm(NO_MODEL);
  ({ connection } = swarm);
  dispatcher = await swarm.dispatcher();
});
afterAll(async () => {
  await dispatcher[Symbol.asyncDispose]();
  await swarm[Symbol.asyncDispose]();
});

const git = async (...args: string[]) => (await runGit(args, { cwd: swarm.origin })).stdout.trim();
const treeOf = (commit: string) => git("rev-parse", `${commit}^{tree}`);

/** Puts a commit on the trunk. */
async function land(files: Record<string, string>): Promise<string> {
  commitFiles(swarm.origin, [{ ref: "refs/heads/main", files, base: await git("rev-parse", "main") }]);
  return git("rev-parse", "main");
}

async function send(id: string, commits: string[], round = 1): Promise<Task> {
  const task = taskSchema.parse({
    id,
    featureId: "feature-1",
    featureSlug: "one",
    key: id,
    kind: "revert",
    title: 'Revert "One"',
    description: "reverted by ada: it broke the login",
    priority: 1,
    limits: { turns: 1, tokens: 1, costUsd: 0, wallMs: 1_000, idleMs: 1_000 },
    revert: { commits, by: "ada" },
  });
  await swarm.sender.send("task", { task, round }, { jobId: jobId.task(id, round) });
  return task;
}
const done = (id: string, round = 1) =>
  waitUntil(`the end of ${id}`, WITHIN_MS, async () =>
    (await jobState(connection, "task", jobId.task(id, round))) === "completed" ? true : null,
  );
const merge = (id: string, attempt = 1) => jobBody(connection, "merge", jobId.merge(id, attempt, true));
/** A commit in the store, which has what the trunk has. */
const stored = async (commit: string, ...what: string[]) =>
  (await runGit(["show", "-s", ...what, commit], { cwd: `${swarm.home}/store.git` })).stdout.trim();

test("several landings are taken back in one commit on the trunk's head; a redelivery makes no second one", async () => {
  const before = await git("rev-parse", "main");
  const first = await land({ "one.txt": "1\n" });
  const between = await land({ "others.txt": "others\n" });
  const second = await land({ "one.txt": "1\n2\n" });
  await send("both", [second, first]);
  await done("both");
  const request = await merge("both");
  const head = request?.headCommit ?? "";
  expect(request).toMatchObject({ baseCommit: second, attempt: 1, title: 'Revert "One"' });
  expect(request).toMatchObject({ approvedBy: "ada", approvedHead: head });
  const paths = await runGit(["ls-tree", "-r", "--name-only", head], { cwd: `${swarm.home}/store.git` });
  expect(paths.stdout.trim().split("\n")).toEqual(["others.txt", "swarm.json"]);
  expect(await stored(head, "--format=%s|%P")).toBe(`Revert "One"|${second}`);
  expect(await stored(head, "--format=%b")).toContain(
    `reverted by ada: it broke the login\n\n- ${second}\n- ${first}`,
  );
  expect(request?.handoff.metrics).toMatchObject({ linesRemoved: 2, costUsd: 0 });
  expect([before, between]).not.toContain(head);

  await bullQueue(connection, "task").remove(jobId.task("both", 1));
  await send("both", [second, first]);
  await done("both");
  expect(await merge("both", 2)).toBeNull();
});

test("one landing is left to the merger's own merge, whether it conflicts or not", async () => {
  const landing = await land({ "two.txt": "1\n" });
  await land({ "two.txt": "1 changed by others\n" });
  await send("one", [landing]);
  await done("one");
  const request = await merge("one");
  expect(request?.baseCommit).toBe(landing);
  const head = request?.headCommit ?? "";
  expect(await stored(head, "--format=%T|%P")).toBe(`${await treeOf(`${landing}^`)}|${landing}`);
});

test("landings that conflict together, or of which nothing is left, go back to the planner", async () => {
  const first = await land({ "three.txt": "1\n" });
  const second = await land({ "four.txt": "1\n" });
  await land({ "three.txt": "1 changed by others\n" });
  await send("conflict", [second, first]);
  await done("conflict");
  const handoff = async (id: string) => jobBody(connection, "plan", jobId.handoff(id, 1));
  expect(await handoff("conflict")).toMatchObject({
    kind: "handoff",
    outcome: { kind: "conflict", paths: [{ path: "three.txt" }] },
  });
  expect(await merge("conflict")).toBeNull();

  const empty = await land({});
  await send("nothing", [empty]);
  await done("nothing");
  expect(await handoff("nothing")).toMatchObject({ outcome: { kind: "already-landed", empty: true } });
});
