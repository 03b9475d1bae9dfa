import { afterAll, beforeAll, expect, test } from "vitest";
import { startRedis } from "../../../test/support/redis.ts";
import { freePort } from "../../../test/support/free-port.ts";
import { startService } from "../../../test/support/service.ts";
import type { PersonRole } from "@agentswarm/contracts";
import { keysCommand, makeKey } from "../testing/make-key.ts";
import { statusFor } from "../testing/status-for.ts";
import { startApi, type TestApi } from "../testing/start-api.ts";

let open: TestApi;
let locked: TestApi;
let keys: { viewer: string; submitter: string; reviewer: string; revoked: string };

beforeAll(async () => {
  open = await startApi({ API_HOSTS: "api, swarm.internal" });
  locked = await startApi();
  const ring = (...args: string[]) => keysCommand(locked.env, ...args);
  const of = (role: PersonRole) => makeKey(locked.env, role);
  const viewer = ring("create", "--role", "viewer");
  keys = {
    viewer,
    submitter: await of("submitter"),
    reviewer: await of("reviewer"),
    revoked: await of("submitter"),
  };
  const revoked = keys.revoked.split("_")[1] ?? "";
  ring("revoke", revoked);
  const listed = ring("list");
  expect(listed).toMatch(/^[0-9a-f]{12} {2}viewer {2}– {2}never expires\n/);
  expect(listed).not.toContain(revoked);
});
afterAll(async () => {
  await open[Symbol.asyncDispose]();
  await locked[Symbol.asyncDispose]();
});

test.each([
  [{}, 200],
  [{ host: "localhost:8080" }, 200],
  [{ origin: "http://localhost:3000" }, 200],
  [{ host: "api:8080" }, 200],
  [{ host: "swarm.internal" }, 200],
  [{ host: "api.example.com" }, 403],
  [{ host: "swarm.example.com" }, 403],
  [{ host: "127.0.0.1.example.com" }, 403],
  [{ origin: "https://evil.example" }, 403],
  [{ origin: "null" }, 403],
])("without keys %j is answered %i", async (headers, status) => {
  expect(await statusFor(open.url, "/v1/status", headers as Record<string, string>)).toBe(status);
});

test("with keys, only valid ones are accepted, as Bearer or Basic, and each for its role", async () => {
  const basic = (key: string) => `Basic ${Buffer.from(`anyone:${key}`).toString("base64")}`;
  const status = async (authorization?: string, method = "GET") => {
    const headers = { "content-type": "application/json", ...(authorization ? { authorization } : {}) };
    const init = { method, headers, ...(method === "POST" ? { body: '{"title":"x"}' } : {}) };
    return (await locked.ask(method === "POST" ? "/v1/features" : "/v1/status", init)).status;
  };
  expect(await status()).toBe(401);
  expect(await status(`Bearer ${keys.submitter}`)).toBe(200);
  expect(await status(basic(keys.submitter))).toBe(200);
  expect(await status(`Bearer ${keys.submitter}0`)).toBe(401);
  expect(await status(`Bearer ${keys.revoked}`)).toBe(401);
  expect(await status("Bearer ask__")).toBe(401);
  expect(await status(`Bearer ${keys.viewer}`)).toBe(200);
  expect(await status(`Bearer ${keys.viewer}`, "POST")).toBe(403);
  expect(await status(`Bearer ${keys.submitter}`, "POST")).toBe(202);
  // A decision about held work has a role of its own.
  const decide = async (key: string) => {
    const init = { method: "POST", headers: { authorization: `Bearer ${key}` } };
    return Promise.all(
      ["approve", "refuse"].map(async (what) => (await locked.ask(`/v1/tasks/none/${what}`, init)).status),
    );
  };
  expect(await decide(keys.viewer)).toEqual([403, 403]);
  expect(await decide(keys.submitter)).toEqual([403, 403]);
  expect(await decide(keys.reviewer)).toEqual([404, 404]);
  expect(await status(`Bearer ${keys.reviewer}`, "POST")).toBe(202);
  const board = await locked.ask("/queues");
  expect([board.status, board.headers.get("www-authenticate")]).toEqual([
    401,
    expect.stringContaining("Basic"),
  ]);
  expect((await locked.ask("/healthz")).status).toBe(200);
});

test("without keys, an address that is not loopback is refused with the name of the setting", async () => {
  const redis = await startRedis();
  const env = {
    REDIS_URL: redis.url,
    QUEUE_PREFIX: redis.prefix,
    SWARM_HOME: open.home,
    API_PORT: String(await freePort()),
  };
  const service = startService("api", { ...env, API_PUBLISHED_ON: "0.0.0.0" });
  expect(await service.ended).toBe(1);
  expect(service.output()).toContain("API_PUBLISHED_ON=0.0.0.0 is not loopback");
  await redis.stop();
});
