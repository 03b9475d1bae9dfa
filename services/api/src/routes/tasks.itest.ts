import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { jobId, taskSchema, type Task } from "@agentswarm/contracts";
import { consume, createSender } from "@agentswarm/queue";
import { waitUntil } from "../../../../test/support/wait-until.ts";
import { pendingBodies } from "../../../../test/support/queue.ts";
import { startApi, type TestApi } from "../../testing/start-api.ts";
import { statusFor } from "../../testing/status-for.ts";
import { HELD, openEmitter } from "../../testing/emit-events.ts";

let api: TestApi;
let emit: ReturnType<typeof openEmitter>;
let landed: Task;

beforeAll(async () => {
  api = await startApi();
  emit = openEmitter(api);
  landed = await emit.task("landed-one", "landed");
});
afterAll(() => api[Symbol.asyncDispose]());

const planned = async () => (await pendingBodies(api.connection, "plan")) as unknown[];
const act = async (path: string, body?: object) => {
  const answer = body === undefined ? await api.ask(path, { method: "POST" }) : await api.post(path, body);
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
};

test("the transcript of an attempt is served, by default of the newest, and no other file", async () => {
  await emit.attemptEnded(landed, 1);
  await emit.attemptEnded(landed, 2);
  await waitUntil("both attempts", 20_000, async () => {
    const { attempts } = (await (await api.ask("/v1/tasks/landed-one")).json()) as { attempts: unknown[] };
    return attempts.length === 2 ? true : null;
  });
  const folder = join(api.home, "artifacts/transcripts/landed-one");
  mkdirSync(folder, { recursive: true });
  for (const attempt of [1, 2]) writeFileSync(join(folder, `${attempt}.jsonl`), `{"attempt":${attempt}}\n`);
  writeFileSync(join(api.home, "artifacts/transcripts/3.jsonl"), "beside it");
  writeFileSync(join(api.home, "secret.jsonl"), "beside it");

  const ask = async (query: string) => {
    const answer = await api.ask(`/v1/tasks/landed-one/transcript${query}`);
    return { status: answer.status, type: answer.headers.get("content-type"), text: await answer.text() };
  };
  expect(await ask("")).toMatchObject({
    status: 200,
    type: "application/x-ndjson",
    text: '{"attempt":2}\n',
  });
  expect((await ask("?attempt=1")).text).toBe('{"attempt":1}\n');
  expect((await ask("?attempt=7")).status).toBe(404);
  for (const attempt of ["../3", "..%2F..%2F..%2Fsecret", "1/../../3", "0", "-1", "1.5", "1%00"])
    expect([attempt, (await ask(`?attempt=${attempt}`)).status]).toEqual([attempt, 400]);
});

test("the diff of an attempt is served, and that of a feature: what landed and what may still land", async () => {
  const task = await emit.task("diffed-one", "held");
  await emit.attemptEnded(task, 1, { headCommit: HELD });
  await waitUntil("the attempt", 20_000, async () => {
    const { attempts } = (await (await api.ask("/v1/tasks/diffed-one")).json()) as { attempts: unknown[] };
    return attempts.length === 1 ? true : null;
  });
  const folder = join(api.home, "artifacts/transcripts/diffed-one");
  mkdirSync(folder, { recursive: true });
  const ask = async (path: string) => {
    const answer = await api.ask(path);
    return { status: answer.status, type: answer.headers.get("content-type"), text: await answer.text() };
  };
  const ofFeature = `/v1/features/${task.featureId}/diff`;
  const heading = "# ==== Task diffed-one, attempt 1: not on the trunk\n";
  expect((await ask(ofFeature)).text).toBe(`${heading}# Its diff is not kept any more.\n\n`);
  writeFileSync(join(folder, "1.diff"), "# Task diffed-one\n1\t0\ta.js\n");
  const diff = await ask("/v1/tasks/diffed-one/attempts/1/diff");
  expect(diff).toMatchObject({ status: 200, text: "# Task diffed-one\n1\t0\ta.js\n" });
  expect(diff.type).toContain("text/x-diff");
  expect((await ask(ofFeature)).text).toBe(`${heading}${diff.text}\n`);
  expect((await ask("/v1/tasks/diffed-one/attempts/2/diff")).status).toBe(404);
  expect((await ask("/v1/features/no-such/diff")).status).toBe(404);
  for (const attempt of ["0", "-1", "1.5", "1%00", "..%2F1"])
    expect([attempt, (await ask(`/v1/tasks/diffed-one/attempts/${attempt}/diff`)).status]).toEqual([
      attempt,
      400,
    ]);
});

test.each([
  "/v1/tasks/..%2f..%2f..%2fsecret/transcript",
  "/v1/tasks/..%2f..%2fdiffed-one/attempts/1/diff",
  "/v1/tasks/../transcript",
  "/v1/tasks/%2e%2e/transcript",
  "/v1/tasks/%2Fetc%2Fpasswd/transcript",
  "/v1/tasks/a%00b/transcript",
  "/v1/tasks/UPPER/transcript",
  `/v1/tasks/${"x".repeat(65)}/transcript`,
])("%s is refused, as it holds no valid task id", async (path) => {
  expect(await statusFor(api.url, path)).toBe(400);
});

test("a task that can still land is cancelled with a reason, one that has landed is not", async () => {
  await emit.task("dropped-one", "planned");
  const { status, body } = await act("/v1/tasks/dropped-one/cancel", { why: "not needed" });
  expect([status, body]).toEqual([202, { id: "dropped-one", url: "/v1/tasks/dropped-one" }]);
  const message = { kind: "cancel-task", taskId: "dropped-one", by: "local", why: "not needed" };
  expect(await planned()).toContainEqual(expect.objectContaining(message));
  expect(await act("/v1/tasks/landed-one/cancel")).toMatchObject({
    status: 409,
    body: { type: "urn:agentswarm:wrong-state" },
  });
});

test("a failed task can be retried, a landed one cannot", async () => {
  await emit.task("failed-one", "failed");
  const { status, body } = await act("/v1/tasks/failed-one/retry");
  expect([status, body]).toEqual([202, { id: "failed-one", url: "/v1/tasks/failed-one" }]);
  expect(await planned()).toContainEqual({ kind: "retry", taskId: "failed-one", by: "local", via: "rest" });
  expect(await act("/v1/tasks/landed-one/retry")).toMatchObject({
    status: 409,
    body: { type: "urn:agentswarm:wrong-state", detail: expect.stringContaining("landed") },
  });
});

test("a failed feature can be retried, one that goes on cannot", async () => {
  const { featureId } = await emit.task("of-failed", "failed");
  const retry = () => act(`/v1/features/${featureId}/retry`);
  expect(await retry()).toMatchObject({ status: 409, body: { type: "urn:agentswarm:wrong-state" } });
  await emit.feature(featureId, "failed", 3);
  expect(await retry()).toEqual({ status: 202, body: { id: featureId, url: `/v1/features/${featureId}` } });
  expect(await planned()).toContainEqual({ kind: "retry-feature", featureId, by: "local", via: "rest" });
  expect((await act("/v1/features/feature-none/retry")).status).toBe(404);
});

test("only a held task can be approved or refused", async () => {
  await emit.task("held-one", "held");
  expect((await act("/v1/tasks/held-one/refuse", { reason: "Not like this" })).status).toBe(202);
  expect((await act("/v1/tasks/held-one/approve")).status).toBe(202);
  const decided = { kind: "approve", taskId: "held-one", by: "local", via: "rest", head: HELD };
  expect(await planned()).toContainEqual({ ...decided, decision: "refuse", reason: "Not like this" });
  expect(await planned()).toContainEqual({ ...decided, decision: "approve" });
  expect((await act("/v1/tasks/landed-one/approve")).status).toBe(409);
  expect((await act("/v1/tasks/held-one/refuse", { reason: "x".repeat(2_001) })).status).toBe(400);
});

test("an approval that names another commit than the held one is refused, and the held one is named", async () => {
  await emit.task("changed-one", "held");
  const late = await act("/v1/tasks/changed-one/approve", { head: "9".repeat(40) });
  expect(late).toMatchObject({
    status: 409,
    body: {
      type: "urn:agentswarm:attempt-changed",
      detail: expect.stringContaining(`commit ${HELD} is held`),
    },
  });
  expect(JSON.stringify(await planned())).not.toContain("changed-one");
  expect((await act("/v1/tasks/changed-one/approve", { head: HELD })).status).toBe(202);
  expect(await planned()).toContainEqual(expect.objectContaining({ taskId: "changed-one", head: HELD }));
  expect((await act("/v1/tasks/changed-one/approve", { head: "main" })).status).toBe(400);
});

test("each cancel, retry and decision is a message of its own, also while Redis still has an earlier one", async () => {
  const { featureId } = await emit.task("open-one", "running");
  await emit.task("again-one", "failed");
  await emit.task("again-two", "held");
  const paths = [`features/${featureId}/cancel`, "tasks/again-one/retry", "tasks/again-two/approve"];
  for (const path of [...paths, ...paths]) expect((await act(`/v1/${path}`)).status).toBe(202);
  const ids = [featureId, "again-one", "again-two"];
  const sent = (await planned()).map((one) => JSON.stringify(one));
  for (const id of ids) expect(sent.filter((one) => one.includes(`"${id}"`))).toHaveLength(2);
  await emit.feature(featureId, "done", 3);
  expect(await act(`/v1/features/${featureId}/cancel`)).toMatchObject({
    status: 409,
    body: { type: "urn:agentswarm:already-ended" },
  });
  expect((await act("/v1/features/feature-none/cancel")).status).toBe(404);
});

test("a task is shown sent, running, landing and landed as its events arrive", async () => {
  const task = await emit.task("moving-one", "sent");
  const shown = async () => {
    const one = (await (await api.ask("/v1/tasks/moving-one")).json()) as { status: string };
    const { tasks } = (await (await api.ask(`/v1/features/${task.featureId}`)).json()) as {
      tasks: { status: string }[];
    };
    return [one.status, tasks[0]?.status];
  };
  const becomes = (status: string) => expect.poll(shown, { timeout: 20_000 }).toEqual([status, status]);
  const live = async () => {
    const { agents } = (await (await api.ask("/v1/status")).json()) as { agents: { attempts: object } };
    return Object.keys(agents.attempts);
  };
  await emit.attemptStarted(task, 1);
  await becomes("running");
  // No dispatcher has its job, as after a kill of the dispatcher, which sends no event.
  expect(await live()).not.toContain(task.id);
  await using _dispatcher = await consume(api.connection, "task", (_, { signal }) => once(signal, "abort"), {
    concurrency: 1,
  });
  const message = { task: taskSchema.parse(task), round: 1 };
  await createSender(api.connection, "test").send("task", message, { jobId: jobId.task(task.id, 1) });
  await expect.poll(live, { timeout: 20_000 }).toContain(task.id);
  await emit.attemptEnded(task, 1, { outcome: "complete", headCommit: "c".repeat(40) });
  await becomes("landing");
  await emit.taskChanged(task, "landed", 3);
  await becomes("landed");
  expect(await live()).not.toContain(task.id);
});

test("the start of an attempt that arrives after its end shows neither a running task nor a live agent", async () => {
  const task = await emit.task("overtaken-one", "sent");
  await emit.attemptEnded(task, 1, { outcome: "complete", headCommit: "c".repeat(40) });
  await emit.attemptStarted(task, 1);
  const read = async () =>
    (await (await api.ask("/v1/tasks/overtaken-one")).json()) as Record<string, unknown>;
  await expect.poll(read, { timeout: 20_000 }).toMatchObject({
    status: "landing",
    attempts: [{ startedAt: expect.any(Number) }],
  });
  // Events are taken in one after the other, so the start is through once a later one is.
  await emit.task("later-one", "sent");
  const { agents } = (await (await api.ask("/v1/status")).json()) as { agents: { attempts: object } };
  expect(Object.keys(agents.attempts)).not.toContain(task.id);
});

test("what is said to a task or its feature goes to the planner, and is shown with who heard it", async () => {
  const { featureId } = await emit.task("said-to", "running");
  const said = await act("/v1/tasks/said-to/notes", { text: "  Use b.  ", mode: "interrupt" });
  expect(said).toMatchObject({ status: 202, body: { url: "/v1/tasks/said-to/notes" } });
  expect((await act(`/v1/features/${featureId}/notes`, { text: "To all." })).status).toBe(202);
  const notes = (await planned()).filter((one) => (one as { kind: string }).kind === "note");
  const sent = notes.toSorted((a) => ((a as { taskId: unknown }).taskId === null ? 1 : -1));
  expect(sent).toMatchObject([
    { featureId, taskId: "said-to", note: { text: "Use b.", mode: "interrupt", by: "local", via: "rest" } },
    { featureId, taskId: null, note: { text: "To all.", mode: "steer" } },
  ]);
  expect(sent).toMatchObject([{ note: { id: said.body["id"] } }, {}]);
  const [own, all] = sent as { note: { id: string } }[];
  for (const one of [own, all]) await emit.event("note.said", { featureId }, one as object);
  const about = { featureId, taskId: "said-to", attempt: 1 };
  await emit.event("note.heard", about, { noteId: all?.note.id, turn: 2 });
  const notesOf = async (path: string) =>
    ((await (await api.ask(`${path}/notes`)).json()) as { notes: { heard: unknown[] }[] }).notes;
  await waitUntil("the note is heard", 20_000, async () =>
    (await notesOf("/v1/tasks/said-to")).some(({ heard }) => heard.length > 0) ? true : null,
  );
  const heard = [{ taskId: "said-to", attempt: 1, turn: 2 }];
  expect(await notesOf("/v1/tasks/said-to")).toMatchObject([
    { text: "Use b.", taskId: "said-to", heard: [], refused: null },
    { text: "To all.", taskId: null, heard },
  ]);
  expect(await notesOf(`/v1/features/${featureId}`)).toMatchObject([{ text: "To all.", heard }]);

  expect(await act("/v1/tasks/landed-one/notes", { text: "Too late." })).toMatchObject({
    status: 409,
    body: { detail: "the task is landed: no agent works on it any more" },
  });
  for (const body of [{ text: " " }, { text: "x".repeat(4_001) }, { text: "a", mode: "loudly" }])
    expect((await act("/v1/tasks/said-to/notes", body)).status).toBe(400);
  expect((await act("/v1/features/feature-none/notes", { text: "a" })).status).toBe(404);
});
