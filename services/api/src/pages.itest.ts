import { afterAll, beforeAll, expect, test } from "vitest";
import { bullQueue } from "../../../test/support/queue.ts";
import { startApi, type TestApi } from "../testing/start-api.ts";

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api[Symbol.asyncDispose]());

test.each(["/docs", "/queues", "/queues/queue/plan"])(
  "%s needs no inline script, and its policy allows none",
  async (path) => {
    const answer = await api.ask(path);
    const policy = answer.headers.get("content-security-policy") ?? "";
    expect(/script-src [^;]*/.exec(policy)?.[0]).toBe("script-src 'self'");
    expect(policy).toContain("script-src-attr 'none'");
    const html = await answer.text();
    const scripts = [...html.matchAll(/<script\b([^>]*)>([^<]*)/g)].map(([, attributes = "", text = ""]) => ({
      runs: !attributes.includes("application/json"),
      inline: !attributes.includes("src=") || text.trim() !== "",
    }));
    expect(scripts.filter(({ runs }) => runs).length).toBeGreaterThan(0);
    expect(scripts.filter(({ runs, inline }) => runs && inline)).toEqual([]);
  },
);

test("/ is a page that names the other pages, and all of them answer", async () => {
  const answer = await api.ask("/");
  expect([answer.status, answer.headers.get("content-type")]).toEqual([200, "text/html; charset=utf-8"]);
  const links = [...(await answer.text()).matchAll(/href="([^"]+)"/g)].map(([, path = ""]) => path);
  expect(links).toEqual(expect.arrayContaining(["/docs", "/queues", "/v1/status"]));
  for (const path of links) expect([path, (await api.ask(path)).status]).toEqual([path, 200]);
});

test("markup in an address is never returned as markup", async () => {
  for (const path of [
    "/v1/<script>alert(1)</script>",
    "/queues/queue/<script>alert(1)</script>",
    "/docs/<script>",
  ]) {
    const answer = await api.ask(path);
    const type = answer.headers.get("content-type") ?? "";
    if (type.includes("html")) expect(await answer.text()).not.toContain("alert(1)");
    else expect(type).toMatch(/application\/(problem\+)?json/);
    expect(answer.headers.get("x-content-type-options")).toBe("nosniff");
  }
});

test("the board shows jobs and refuses every change but the retry of failed ones", async () => {
  const answer = await api.post("/v1/features", { title: "Shown on the board" });
  const { id } = (await answer.json()) as { id: string };
  const job = `/queues/api/queues/plan/feature-${id}`;
  expect(await (await api.ask(job)).text()).toContain("Shown on the board");
  const queue = "/queues/api/queues/plan";
  for (const [method, path] of [
    ["PUT", `${job}/clean`],
    ["PUT", `${job}/promote`],
    ["PATCH", `${job}/update-data`],
    ["PATCH", `${job}/delay`],
    ["PATCH", `${job}/priority`],
    ["PUT", `${queue}/clean/wait`],
    ["PUT", `${queue}/pause`],
    ["PUT", `${queue}/retry/completed`],
    ["PUT", `${queue}/concurrency`],
    ["PUT", `${queue}/rate-limit`],
    ["PUT", `${queue}/empty`],
    ["PUT", `${queue}/obliterate`],
    ["POST", `${queue}/add`],
    ["PUT", "/queues/api/queues/pause"],
  ] as const) {
    const body = JSON.stringify({ jobData: {}, name: "x", data: {}, options: {} });
    const init = { method, headers: { "content-type": "application/json" }, body };
    expect([path, (await api.ask(path, init)).status]).toEqual([path, 405]);
  }
  expect(await bullQueue(api.connection, "plan").isPaused()).toBe(false);
  const kept = await bullQueue(api.connection, "plan").getJob(`feature-${id}`);
  expect(JSON.stringify(kept?.data)).toContain("Shown on the board");
});

interface Operation {
  summary?: string;
  parameters?: { name: string; in: string; schema: object }[];
  requestBody?: { content: Record<string, { schema: { required?: string[] } }> };
  responses: Record<string, { description?: string }>;
}

test("the OpenAPI document describes purpose, parameters and answers of each route", async () => {
  const document = (await (await api.ask("/docs/json")).json()) as {
    openapi: string;
    info: { title: string; version: string };
    paths: Record<string, Record<string, Operation>>;
  };
  expect(document.info).toMatchObject({ title: "AgentSwarm", version: "1" });
  for (const [path, operations] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(operations)) {
      const where = `${method} ${path}`;
      expect(["get", "post", "delete"], where).toContain(method);
      expect(operation.summary, where).toBeTruthy();
      const inPath = (operation.parameters ?? []).filter((one) => one.in === "path").map((one) => one.name);
      expect(inPath, where).toEqual([...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name));
      const responses = Object.values(operation.responses);
      expect(responses.length, where).toBeGreaterThan(0);
      for (const { description } of responses) expect(description, where).toBeTruthy();
    }
  }
  const submit = document.paths["/v1/features"]?.["post"];
  expect(submit?.requestBody?.content["application/json"]?.schema.required).toEqual(["title"]);
  expect(submit?.parameters).toContainEqual(
    expect.objectContaining({ name: "idempotency-key", in: "header" }),
  );
  // Every reference has its target.
  const text = JSON.stringify(document);
  for (const [, name] of text.matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g))
    expect(document).toHaveProperty(["components", "schemas", name ?? ""]);
});

test.each([
  ["an unknown field", { title: "x", titel: "y", prioritty: 1 }, ["titel", "prioritty"]],
  ["an entry of a list", { title: "x", acceptance: ["ok", ""] }, ["acceptance.1"]],
  ["several fields at once", { title: "", priority: 0 }, ["title", "priority"]],
  ["a title that is too long", { title: "x".repeat(201) }, ["title"]],
  ["a body that is a list", [], ["(body)"]],
])("%s is named by the problem", async (_what, body, fields) => {
  const answer = await api.post("/v1/features", body);
  expect(answer.status).toBe(400);
  const problem = (await answer.json()) as { errors: { field: string }[]; instance: string };
  expect(problem.errors.map((one) => one.field)).toEqual(fields);
  expect(problem.instance).toBe("/v1/features");
});

test.each([
  ["/v1/features?status=finished", "status"],
  ["/v1/features?limit=0", "limit"],
  ["/v1/features?limit=many", "limit"],
  ["/v1/features/NOT-AN-ID", "id"],
])("GET %s is refused and the field named", async (path, field) => {
  const answer = await api.ask(path);
  expect(answer.status).toBe(400);
  expect(await answer.json()).toMatchObject({ errors: [{ field }] });
});

test("an empty Idempotency-Key is refused, as all its senders would share one feature", async () => {
  const answer = await api.post("/v1/features", { title: "x" }, { "idempotency-key": "" });
  expect(answer.status).toBe(400);
  expect(await answer.json()).toMatchObject({ errors: [{ field: "idempotency-key" }] });
});

test("a body that is too big, of another type or cut off is refused with its own status", async () => {
  const big = JSON.stringify({ title: "x", description: "y".repeat(1024 * 1024) });
  const cases: [string, string, number][] = [
    ["application/json", big, 413],
    ["application/xml", "<feature/>", 415],
    ["application/x-www-form-urlencoded", "title=x", 415],
    ["text/plain", '{"title":"x"}', 400],
    ["application/json", '{"title":', 400],
    ["application/json", "", 400],
    ["application/json", '{"title":"x","__proto__":{"priority":1}}', 400],
  ];
  for (const [type, body, status] of cases) {
    const answer = await api.post("/v1/features", body, { "content-type": type });
    expect([type, body.slice(0, 20), answer.status]).toEqual([type, body.slice(0, 20), status]);
    expect(answer.headers.get("content-type")).toContain("application/problem+json");
    expect(await answer.json()).toMatchObject({ status, detail: expect.any(String) });
  }
});
