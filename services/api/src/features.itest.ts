import { afterAll, beforeAll, expect, test } from "vitest";
import { startApi, type TestApi } from "../testing/start-api.ts";
import { waitUntil } from "../../../test/support/wait-until.ts";
import { bullQueue } from "../../../test/support/queue.ts";

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api[Symbol.asyncDispose]());

const submit = (body: unknown, key?: string) =>
  api.post("/v1/features", body, key === undefined ? {} : { "idempotency-key": key });
const planJobs = async () => (await bullQueue(api.connection, "plan").getJobs()).map((job) => job.id);

test("a submission is answered 202 after the durable write, and the feature can be read at once", async () => {
  const answer = await submit({ title: "Dark mode", acceptance: ["It is dark"], priority: 2 });
  expect(answer.status).toBe(202);
  const { id } = (await answer.json()) as { id: string };
  expect(answer.headers.get("location")).toBe(`/v1/features/${id}`);
  expect(await planJobs()).toContain(`feature-${id}`);
  const read = await api.ask(`/v1/features/${id}`);
  expect(await read.json()).toMatchObject({
    id,
    title: "Dark mode",
    status: "queued",
    priority: 2,
    tasks: [],
  });
});

test("a hundred parallel duplicates make one feature (fault 39)", async () => {
  const answers = await Promise.all(Array.from({ length: 100 }, () => submit({ title: "Once" }, "same-key")));
  const ids = await Promise.all(answers.map(async (one) => ((await one.json()) as { id: string }).id));
  expect(new Set(answers.map((one) => one.status))).toEqual(new Set([202]));
  expect(new Set(ids).size).toBe(1);
  expect((await planJobs()).filter((id) => id === `feature-${ids[0]}`)).toHaveLength(1);

  const other = await submit({ title: "Something else" }, "same-key");
  expect(other.status).toBe(422);
  expect(await other.json()).toMatchObject({ type: "urn:agentswarm:idempotency-key-reused", status: 422 });
});

test("a thousand submissions at once are each accepted or refused with Retry-After, and none is lost (fault 39)", async () => {
  const answers = await Promise.all(
    Array.from({ length: 1_000 }, (_, nth) => submit({ title: `One of many ${nth}` }, `many-${nth}`)),
  );
  const accepted: string[] = [];
  for (const answer of answers) {
    if (answer.status === 202) accepted.push(((await answer.json()) as { id: string }).id);
    else {
      expect([429, 503]).toContain(answer.status);
      expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
    }
  }
  expect(accepted.length).toBeGreaterThan(0);
  const jobs = new Set(await planJobs());
  expect(accepted.filter((id) => !jobs.has(`feature-${id}`))).toEqual([]);
  expect((await api.ask("/healthz")).status).toBe(200);
});

test("above MAX_QUEUE_DEPTH waiting plans a submission is answered 503 with Retry-After", async () => {
  await using small = await startApi({ MAX_QUEUE_DEPTH: "2" });
  const statuses: number[] = [];
  for (const title of ["a", "b", "c"]) {
    const answer = await small.post("/v1/features", { title });
    statuses.push(answer.status);
    if (answer.status === 503) expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
  }
  expect(statuses).toEqual([202, 202, 503]);
});

test.each([
  ["no title", { description: "x" }, "title"],
  ["an empty title", { title: "" }, "title"],
  ["a priority out of range", { title: "x", priority: 11 }, "priority"],
  ["acceptance that is not a list", { title: "x", acceptance: "yes" }, "acceptance"],
])("%s is answered with a problem that names the field", async (_what, body, field) => {
  const answer = await submit(body);
  expect(answer.status).toBe(400);
  expect(answer.headers.get("content-type")).toContain("application/problem+json");
  const problem = (await answer.json()) as { errors: { field: string }[] };
  expect(problem.errors.map((one) => one.field)).toContain(field);
});

test("a body that is not JSON, an unknown path and an unknown id are answered with a problem", async () => {
  for (const [answer, status] of [
    [await submit("{ not json"), 400],
    [await api.ask("/v1/nothing"), 404],
    [await api.ask("/v1/features/feature-none"), 404],
    [await api.ask("/v1/tasks/task-none"), 404],
    [await api.ask("/v1/tasks/..%2f..%2fapi-keys/transcript"), 400],
  ] as const) {
    expect(answer.status).toBe(status);
    expect(answer.headers.get("content-type")).toContain("application/problem+json");
    expect(await answer.json()).toMatchObject({ status, detail: expect.any(String) });
  }
});

test("features are listed page by page, newest first", async () => {
  await using fresh = await startApi();
  for (const nth of [1, 2, 3, 4, 5])
    await fresh.post("/v1/features", { title: `Page ${nth}` }, { "idempotency-key": `p${nth}` });
  type Page = { features: { title: string }[]; cursor: string | null };
  const page = async (query: string) => (await (await fresh.ask(`/v1/features?${query}`)).json()) as Page;
  await waitUntil("the list", 10_000, async () => ((await page("")).features.length === 5 ? true : null));
  const titles: string[] = [];
  let cursor = "";
  do {
    const part = await page(`limit=2${cursor}`);
    expect(part.features.length).toBeLessThanOrEqual(2);
    titles.push(...part.features.map((one) => one.title));
    cursor = part.cursor === null ? "" : `&cursor=${encodeURIComponent(part.cursor)}`;
  } while (cursor !== "");
  expect(titles).toEqual(["Page 5", "Page 4", "Page 3", "Page 2", "Page 1"]);
  expect((await page("q=page%203")).features.map((one) => one.title)).toEqual(["Page 3"]);
  expect((await page("status=done")).features).toEqual([]);
});

test("the OpenAPI document is version 3.1", async () => {
  const document = (await (await api.ask("/docs/json")).json()) as { openapi: string; paths: object };
  expect(document.openapi).toBe("3.1.0");
  const expected = ["/v1/features", "/v1/features/{id}", "/v1/features/{id}/cancel", "/v1/tasks/{id}"];
  expected.push("/v1/tasks/{id}/transcript", "/v1/tasks/{id}/retry", "/v1/tasks/{id}/approve");
  expected.push("/v1/tasks/{id}/refuse", "/v1/status", "/v1/events", "/healthz", "/readyz", "/metrics");
  expect(Object.keys(document.paths)).toEqual(expect.arrayContaining(expected));
  expect(await (await api.ask("/metrics")).text()).toContain("agentswarm_queue_jobs");
  for (const path of ["/docs", "/queues", "/readyz"]) expect((await api.ask(path)).status).toBe(200);
});

test("a title with markup in it is shown as text by every page", async () => {
  const title = `<script>alert("x")</script><img src=x onerror=alert(1)>`;
  const answer = await submit({ title });
  const { id } = (await answer.json()) as { id: string };
  const board = await api.ask("/queues/queue/plan");
  expect(await board.text()).not.toContain("alert(");
  const listed = await api.ask(`/v1/features/${id}`);
  expect(listed.headers.get("content-type")).toContain("application/json");
  expect(listed.headers.get("x-content-type-options")).toBe("nosniff");
  expect(listed.headers.get("content-security-policy")).toContain("default-src 'self'");
});
