import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { waitUntil } from "../../../../test/support/wait-until.ts";
import { revokeKey } from "./keys.ts";
import { keyRingOf, keysCommand, makeKey } from "../../testing/make-key.ts";
import { startApi, type TestApi } from "../../testing/start-api.ts";

let api: TestApi;
let folder: string;
let key: string;
const basic = () => `Basic ${Buffer.from(`somebody:${key}`).toString("base64")}`;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "swarm-keys-"));
  const env = { API_KEYS_FILE: join(folder, "keys.json"), API_PUBLISHED_ON: "0.0.0.0" };
  key = await makeKey(env);
  api = await startApi(env);
});
afterAll(async () => {
  await api[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

const submit = (headers: Record<string, string>) => api.post("/v1/features", { title: "By a page" }, headers);

test.each([
  ["a foreign page", 403, { origin: "https://evil.example" }],
  ["a page without an origin", 403, { origin: "null" }],
  ["another port of this machine", 403, { origin: "http://127.0.0.1:1" }],
  ["a page the browser calls cross-site", 403, { "sec-fetch-site": "cross-site" }],
  ["a page of a sibling host", 403, { "sec-fetch-site": "same-site" }],
  ["the api's own page", 202, { "sec-fetch-site": "same-origin" }],
  ["a program, which names no origin", 202, {}],
])("with Basic, which browsers add by themselves, a submission by %s is answered %i", async (...given) => {
  const [, status, headers] = given;
  const answer = await submit({ authorization: basic(), ...(headers as Record<string, string>) });
  expect(answer.status).toBe(status);
});

test("a page that names the api itself as its origin may submit with Basic", async () => {
  expect((await submit({ authorization: basic(), origin: api.url })).status).toBe(202);
});

test("a request without a body is refused to foreign pages too, as browsers send it without a preflight", async () => {
  const headers = { authorization: basic(), origin: "https://evil.example" };
  const answer = await api.ask("/v1/features/feature-x/cancel", { method: "POST", headers });
  expect(answer.status).toBe(403);
});

test("a Bearer key is accepted from any origin, as only programs send it", async () => {
  const answer = await submit({ authorization: `Bearer ${key}`, origin: "https://dashboard.example" });
  expect(answer.status).toBe(202);
});

test("every route of the OpenAPI document but the two probes demands a key", async () => {
  const authorization = `Bearer ${key}`;
  const document = (await (await api.ask("/docs/json", { headers: { authorization } })).json()) as {
    paths: Record<string, Record<string, unknown>>;
  };
  const asked = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => ({ method: method.toUpperCase(), path: path.replace("{id}", "x") })),
  );
  expect(asked.length).toBeGreaterThan(10);
  const pages = ["/docs", "/docs/json", "/queues", "/queues/api/queues", "/queues/static/none.js", "/none"];
  for (const { method, path } of [...asked, ...pages.map((page) => ({ method: "GET", path: page }))]) {
    const { status, headers } = await api.ask(path, { method });
    expect([method, path, status]).toEqual([method, path, /^\/(healthz|readyz)$/.test(path) ? 200 : 401]);
    expect(headers.get("x-content-type-options")).toBe("nosniff");
  }
});

test("a key is refused after it expires", async () => {
  const make = (lifeMs: number) => makeKey(api.env, "viewer", { lifeMs });
  const ask = async (made: string) =>
    (await api.ask("/v1/status", { headers: { authorization: `Bearer ${made}` } })).status;
  expect(await ask(await make(60_000))).toBe(200);
  const short = await make(500);
  await waitUntil("its end", 10_000, async () => ((await ask(short)) === 401 ? true : null));
});

test.each([
  ["days", "--days=abc"],
  ["days", "--days=-1"],
  ["days", "--days=0"],
  ["role", "--role=everything"],
])("a key with wrong %s is not made: %s", async (what, option) => {
  const before = await keyRingOf(api.env).list();
  expect(() => keysCommand(api.env, "create", option)).toThrow(what);
  expect(await keyRingOf(api.env).list()).toEqual(before);
});

test("after the last key was revoked every request is refused, even one that names this machine as its host", async () => {
  const ring = keyRingOf(api.env);
  for (const { id } of await ring.list()) await ring.change((keys) => revokeKey(keys, id));
  expect(await ring.list()).toEqual([]);
  expect((await api.ask("/v1/status", { headers: { authorization: `Bearer ${key}` } })).status).toBe(401);
  // The host is 127.0.0.1 here, as a caller from afar could claim.
  expect((await api.ask("/v1/status")).status).toBe(401);
});
