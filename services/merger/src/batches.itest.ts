import { expect, test } from "vitest";
import { jobId, traceIdOf, type DomainEvent, type MergeOutcome } from "@agentswarm/contracts";
import { git } from "../../../test/support/string-kit.ts";
import { waitUntil } from "../../../test/support/wait-until.ts";
import { bullQueue } from "../../../test/support/queue.ts";
import { startMerger, type Attempt, type TestMerger } from "../testing/start-merger.ts";

/** A fast gate check that fails on one word. */
const checks = ["! grep -rq BROKEN src"];

const adding = (merger: TestMerger, count: number, broken: readonly number[] = []): Attempt[] =>
  Array.from({ length: count }, (_, nth) => ({
    taskId: `task-${nth}`,
    base: merger.head(),
    files: { [`src/file-${nth}.js`]: `// ${broken.includes(nth) ? "BROKEN" : "whole"}\n` },
  }));

async function outcomes(merger: TestMerger, attempts: readonly Attempt[]): Promise<MergeOutcome[]> {
  return Promise.all(attempts.map(({ taskId }) => merger.outcome(taskId)));
}

test("waiting attempts land in batches, in order, each as its own commit", async () => {
  await using merger = await startMerger({ checks });
  const attempts = adding(merger, 30);
  await merger.store(attempts);
  merger.service.child.kill("SIGKILL");
  await merger.service.ended;
  await merger.request(attempts);
  await merger.again();
  const ended = await outcomes(merger, attempts);
  expect(new Set(ended.map((one) => one.kind))).toEqual(new Set(["landed"]));
  expect(merger.landed().toReversed()).toEqual(attempts.map((one) => one.taskId));
  const sizes = ended.map((one) => (one.kind === "landed" ? one.group : 0));
  expect(Math.max(...sizes)).toBeGreaterThan(4);
  for (const one of ended) {
    if (one.kind === "landed") expect(git(merger.origin, "rev-parse", `${one.commit}^{tree}`)).toBe(one.tree);
  }
  expect(git(merger.origin, "fsck", "--strict", "--no-dangling")).toBe("");
});

test("the attempts that turn a batch red are rejected with the output, all others land, and no red commit is published", async () => {
  await using merger = await startMerger({ checks });
  const attempts = adding(merger, 24, [5, 6, 17]);
  await merger.store(attempts);
  await merger.request(attempts);
  const ended = await outcomes(merger, attempts);
  const rejected = attempts.filter((_, nth) => ended[nth]?.kind === "rejected").map((one) => one.taskId);
  expect(rejected).toEqual(["task-5", "task-6", "task-17"]);
  expect(ended[5]).toMatchObject({ check: checks[0] });
  expect(merger.landed()).toHaveLength(21);
  for (const commit of git(merger.origin, "rev-list", "main").split("\n")) {
    expect(git(merger.origin, "ls-tree", "-r", "--name-only", commit)).not.toMatch(/file-(5|6|17)\.js/);
  }
});

test("a conflict names its files, their three sides and the landings before, and the rest of the batch lands", async () => {
  await using merger = await startMerger({ checks });
  const base = merger.head();
  const edit = (taskId: string, text: string): Attempt => ({ taskId, base, files: { "README.md": text } });
  const attempts = [edit("first", "one way\n"), ...adding(merger, 3), edit("second", "another way\n")];
  await merger.store(attempts);
  await merger.request(attempts);
  const ended = await outcomes(merger, attempts);
  expect(ended.map((one) => one.kind)).toEqual(["landed", "landed", "landed", "landed", "conflict"]);
  const blob = (commit: string) => git(merger.origin, "rev-parse", `${commit}:README.md`);
  expect(ended[4]).toMatchObject({
    paths: [
      {
        path: "README.md",
        base: blob(base),
        ours: blob("main"),
        theirs: expect.stringMatching(/^[0-9a-f]{40}$/),
      },
    ],
    theirIntent: expect.stringContaining("Work on refs/swarm/first/1"),
  });
});

test("work that other landings have brought ends as landed, and an attempt without changes is refused", async () => {
  await using merger = await startMerger({ checks });
  const base = merger.head();
  const files = { "src/same.js": "// the same\n" };
  const attempts = [
    { taskId: "first", base, files },
    { taskId: "second", base, files },
    { taskId: "idle", base, files: {} },
  ];
  await merger.store(attempts);
  await merger.request(attempts);
  const [first, second, idle] = await outcomes(merger, attempts);
  expect(first?.kind).toBe("landed");
  const commit = git(merger.origin, "rev-parse", "main");
  expect(second).toEqual({ kind: "already-landed", commit, empty: true });
  expect(idle).toMatchObject({ kind: "unsafe", why: expect.stringContaining("changes nothing") });
  expect(merger.landed()).toEqual(["first"]);
});

test("a file is reported as hot from its fifth conflict on", async () => {
  await using merger = await startMerger();
  const base = merger.head();
  const attempts = Array.from({ length: 7 }, (_, nth) => ({
    taskId: `task-${nth}`,
    base,
    files: { "README.md": `way ${nth}\n` },
  }));
  await merger.store(attempts);
  await merger.request(attempts);
  const ended = await outcomes(merger, attempts);
  expect(ended.map((one) => (one.kind === "conflict" ? (one.hot ?? []).length : one.kind))).toEqual([
    "landed",
    0,
    0,
    0,
    0,
    1,
    1,
  ]);
});

test("an attempt on protected paths is held for approval while the rest of its batch lands", async () => {
  await using merger = await startMerger({ checks });
  const [ordinary] = adding(merger, 1) as [Attempt];
  const protectedEdit = {
    taskId: "protected-edit",
    base: merger.head(),
    files: { "swarm.json": '{"checks":{"gate":[]}}' },
  };
  await merger.store([protectedEdit, ordinary]);
  await merger.request([protectedEdit, ordinary]);
  expect(await merger.outcome("protected-edit")).toMatchObject({
    kind: "held",
    why: expect.stringContaining("swarm.json"),
  });
  expect(await merger.outcome("task-0")).toMatchObject({ kind: "landed" });
});

test("the handoff and the event of each landing in a batch carry the trace of its own request", async () => {
  await using merger = await startMerger({ checks });
  const attempts = adding(merger, 3);
  await merger.store(attempts);
  await merger.request(attempts);
  await outcomes(merger, attempts);
  const traceOf = async (queue: "merge" | "plan", id: string) => {
    const job = await bullQueue(merger.connection, queue).getJob(id);
    return traceIdOf((job?.data as { trace: string } | undefined)?.trace ?? "");
  };
  const events = await waitUntil("three events", 20_000, async () => {
    const found = await bullQueue(merger.connection, "event").getJobs();
    const traced = found.flatMap((job) => {
      const { trace, body } = job.data as { trace: string; body: DomainEvent };
      return body.type === "landing.landed" ? [{ trace, taskId: body.taskId }] : [];
    });
    return traced.length === 3 ? traced : null;
  });
  const traces = new Set<string | null>();
  for (const { taskId } of attempts) {
    const trace = await traceOf("merge", jobId.merge(taskId, 1));
    expect(trace).not.toBeNull();
    traces.add(trace);
    expect(await traceOf("plan", jobId.handoff(taskId, 1))).toBe(trace);
    const event = events.find((one) => one.taskId === taskId);
    expect(traceIdOf(event?.trace ?? "")).toBe(trace);
  }
  expect(traces.size).toBe(3);
});
