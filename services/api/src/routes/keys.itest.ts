import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { IssuedKey } from "@agentswarm/contracts";
import { buildTestApp, type TestApp } from "../../testing/build-test-app.ts";
import { openKeyRing, type KeyRing } from "../auth/key-ring.ts";

let folder: string;
let ring: KeyRing;
let tested: TestApp;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "swarm-key-routes-"));
  ring = openKeyRing(join(folder, "keys.json"));
  tested = await buildTestApp(ring, {}, { always: false, hosts: [] });
});
afterAll(async () => {
  await tested[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => ring.change(() => ({ keys: [], made: null })));

type Method = "GET" | "POST" | "DELETE";
async function ask(key: string | null, method: Method, url: string, payload?: object) {
  const headers = { host: "localhost", ...(key === null ? {} : { authorization: `Bearer ${key}` }) };
  const { statusCode, body } = await tested.app.inject({ method, url, headers, ...(payload && { payload }) });
  return { status: statusCode, body: JSON.parse(body) as IssuedKey & { detail: string; type: string } };
}
const make = async (key: string | null, payload: object) =>
  (await ask(key, "POST", "/v1/keys", payload)).body.key;
const me = (key: string | null) => ask(key, "GET", "/v1/me");

test("a key is made, used, rotated with an overlap, and revoked over REST", async () => {
  const root = await make(null, { role: "admin", name: "root" });
  const made = await ask(root, "POST", "/v1/keys", { role: "reviewer", name: "ada", days: 1 });
  expect(made).toMatchObject({ status: 200, body: { name: "ada", role: "reviewer", formerUntil: null } });
  const first = made.body.key;
  expect(await me(first)).toEqual({
    status: 200,
    body: { id: "ada", role: "reviewer", via: "rest", keyId: made.body.id },
  });

  const rotated = await ask(root, "POST", "/v1/keys/ada/rotate", { overlapHours: 1 });
  expect(rotated.body).toMatchObject({ id: made.body.id, expiresAt: made.body.expiresAt });
  expect([(await me(first)).status, (await me(rotated.body.key)).status]).toEqual([200, 200]);
  const again = await ask(root, "POST", `/v1/keys/${made.body.id}/rotate`, { overlapHours: 0 });
  for (const former of [first, rotated.body.key])
    expect(await me(former)).toMatchObject({
      status: 401,
      body: { detail: expect.stringContaining("replaced") },
    });
  expect((await me(again.body.key)).status).toBe(200);

  const listed = (await ask(root, "GET", "/v1/keys")).body;
  expect(listed).toEqual({
    keys: [
      expect.objectContaining({ name: "root" }),
      expect.objectContaining({ name: "ada", expired: false }),
    ],
  });
  expect(JSON.stringify(listed)).not.toContain("hash");
  expect((await ask(root, "DELETE", "/v1/keys/ada")).status).toBe(200);
  expect((await me(again.body.key)).status).toBe(401);
  expect(await ask(root, "DELETE", "/v1/keys/ada")).toMatchObject({ status: 404 });
});

test("without keys everybody on this machine is an admin, and the first key must be an admin's", async () => {
  expect(await me(null)).toMatchObject({ body: { id: "local", role: "admin", keyId: null } });
  const refused = await ask(null, "POST", "/v1/keys", { role: "submitter" });
  expect(refused).toMatchObject({ status: 409, body: { detail: expect.stringContaining("role admin") } });
  expect((await me(null)).status).toBe(200);
});

test("the last key of an admin is not revoked over REST", async () => {
  const root = await make(null, { role: "admin", name: "root" });
  await make(root, { role: "operator", name: "ada" });
  expect((await ask(root, "DELETE", "/v1/keys/root")).status).toBe(409);
  const other = await make(root, { role: "admin" });
  expect((await ask(other, "DELETE", "/v1/keys/root")).status).toBe(200);
});

test.each([
  [{ role: "everything" }, 400],
  [{ role: "viewer", name: "planner" }, 400],
  [{ role: "viewer", name: "local" }, 400],
  [{ role: "viewer", name: "0123456789ab" }, 400],
  [{ role: "viewer", name: "Ada Lovelace" }, 400],
  [{ role: "viewer", days: 0 }, 400],
  [{ role: "viewer", scope: "write" }, 400],
  [{ role: "viewer", name: "root" }, 409],
  [{ role: "viewer", name: "ada@example.com" }, 200],
])("a key of %j is answered %i", async (payload, status) => {
  const root = await make(null, { role: "admin", name: "root" });
  expect((await ask(root, "POST", "/v1/keys", payload)).status).toBe(status);
});

test.each([
  ["cli", "cli"],
  ["console", "console"],
  ["mcp", "mcp"],
  ["system", "rest"],
  ["webhook", "rest"],
  ["anything", "rest"],
])("a client that says it comes by %s is taken to come by %s", async (named, via) => {
  const headers = { host: "localhost", "x-swarm-via": named };
  expect((await tested.app.inject({ url: "/v1/me", headers })).json()).toMatchObject({ via });
});
