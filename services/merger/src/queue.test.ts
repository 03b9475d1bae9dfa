import { expect, test } from "vitest";
import { DEFAULT_REPO, type MergeRequest } from "@agentswarm/contracts";
import { makeHandoff } from "../../../test/support/make-handoff.ts";
import { openMergeQueue, type MergeQueue } from "./queue.ts";

const request = (taskId: string, change: Partial<MergeRequest> = {}): MergeRequest => ({
  taskId,
  featureId: "feature-1",
  repoId: DEFAULT_REPO,
  attempt: 1,
  ref: `refs/swarm/${taskId}/1`,
  baseCommit: "a".repeat(40),
  headCommit: "b".repeat(40),
  title: taskId,
  handoff: makeHandoff({ taskId, attempt: 1, headCommit: "b".repeat(40) }),
  ...change,
});
const job = (crashes = 0, signal = new AbortController().signal) => ({
  crashes,
  signal,
  atWork: async () => undefined,
  waitsFor: async () => undefined,
});
const take = (queue: MergeQueue, limit = 100, busy: string[] = []) =>
  queue.take(limit, new Set(busy)).map((one) => one.request.taskId);
const add = (queue: MergeQueue, ...entries: [string, number?, Partial<MergeRequest>?][]) => {
  for (const [taskId, crashes, change] of entries) void queue.add(request(taskId, change), job(crashes));
};

test("entries are taken in order up to the limit, and entries put back come first", () => {
  const queue = openMergeQueue(new AbortController().signal);
  add(queue, ["a"], ["b"], ["c"]);
  const first = queue.take(2, new Set());
  expect(first.map((one) => one.request.taskId)).toEqual(["a", "b"]);
  queue.putBack(first);
  expect(take(queue)).toEqual(["a", "b", "c"]);
});

test("a task that is in a batch, or that waits twice, is taken later", () => {
  const queue = openMergeQueue(new AbortController().signal);
  add(queue, ["a"], ["b"], ["a", 0, { attempt: 2 }]);
  expect(take(queue, 100, ["b"])).toEqual(["a"]);
  expect(take(queue)).toEqual(["b", "a"]);
});

test("entries whose batch failed for no known reason are taken one by one", () => {
  const queue = openMergeQueue(new AbortController().signal);
  add(queue, ["a"], ["b"], ["c"]);
  const batch = queue.take(2, new Set());
  for (const entry of batch) entry.isApart = true;
  queue.putBack(batch);
  expect([take(queue), take(queue), take(queue)]).toEqual([["a"], ["b"], ["c"]]);
});

test("an approved entry is taken alone", () => {
  const queue = openMergeQueue(new AbortController().signal);
  add(queue, ["a"], ["b", 0, { approvedBy: "ada" }], ["c"]);
  expect([take(queue), take(queue), take(queue)]).toEqual([["a"], ["b"], ["c"]]);
});

test("the more crashes an entry has, the fewer entries are taken with it", () => {
  const queue = openMergeQueue(new AbortController().signal);
  add(queue, ...Array.from({ length: 12 }, (_, nth): [string, number] => [`once-${nth}`, 1]));
  add(queue, ["thrice", 3], ["twice-1", 2], ["twice-2", 2], ["never"]);
  expect(take(queue)).toHaveLength(10);
  expect(take(queue)).toEqual(["once-10", "once-11"]);
  expect(take(queue)).toEqual(["thrice"]);
  expect(take(queue)).toEqual(["twice-1", "twice-2", "never"]);
});

test("a cancelled entry leaves the queue, and one in a batch ends when it is put back", async () => {
  const queue = openMergeQueue(new AbortController().signal);
  const cancelling = [new AbortController(), new AbortController()];
  const ends = ["a", "b"].map((id, nth) => queue.add(request(id), job(0, cancelling[nth]?.signal)));
  add(queue, ["c"]);
  const [a] = queue.take(1, new Set());
  for (const one of cancelling) one.abort("cancel");
  await expect(ends[1]).rejects.toThrow("merge job of task b aborted: cancel");
  expect(a?.isCancelled).toBe(true);
  expect(queue.count).toBe(1);
  queue.putBack(a === undefined ? [] : [a]);
  await expect(ends[0]).rejects.toThrow("merge job of task a aborted: cancel");
  expect(take(queue)).toEqual(["c"]);
});

test("an entry that is cancelled in a batch still gets the outcome of a landing, or ends with the service", async () => {
  const stopping = new AbortController();
  const queue = openMergeQueue(stopping.signal);
  const cancelling = new AbortController();
  const ends = ["a", "b"].map((id) => queue.add(request(id), job(0, cancelling.signal)));
  const [a] = queue.take(2, new Set());
  cancelling.abort("cancel");
  a?.resolveEntry({ kind: "already-landed", commit: "c".repeat(40) });
  await expect(ends[0]).resolves.toMatchObject({ kind: "already-landed" });
  stopping.abort("shutdown");
  await expect(ends[1]).rejects.toThrow("merge job of task b aborted: shutdown");
});

test("an entry whose job is aborted leaves the queue with the reason", async () => {
  const queue = openMergeQueue(new AbortController().signal);
  const stopping = new AbortController();
  const waiting = queue.add(request("a"), job(0, stopping.signal));
  stopping.abort("shutdown");
  await expect(waiting).rejects.toMatchObject({
    retryable: true,
    message: expect.stringContaining("shutdown"),
  });
  expect(queue.count).toBe(0);
});
