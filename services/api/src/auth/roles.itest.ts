import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Fastify from "fastify";
import type { ZodTypeProvider } from "@fastify/type-provider-zod";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  includesRole,
  PERSON_ROLES,
  REST,
  type PersonRole,
  type Route,
  type RouteName,
} from "@agentswarm/contracts";
import type { App } from "../app-type.ts";
import { buildTestApp, type TestApp } from "../../testing/build-test-app.ts";
import { guard } from "./guard.ts";
import { openKeyRing } from "./key-ring.ts";
import { addKey, revokeKey, rotateKey } from "./keys.ts";

/** Every route × role × state of a key, against the application as it is served. */

const NEEDED: Readonly<Record<Exclude<Route["needs"], "nothing">, readonly RouteName[]>> = {
  viewer: [],
  submitter: [
    "submitFeature",
    "cancelFeature",
    "retryFeature",
    "setFeatureBudget",
    "sayToFeature",
    "sayToTask",
  ],
  reviewer: ["approveTask", "refuseTask"],
  operator: [
    "cancelTask",
    "pauseWork",
    "resumeWork",
    "revertFeature",
    "retryTask",
    "retryJob",
    "rebuildViews",
  ],
  admin: ["listKeys", "createKey", "rotateKey", "revokeKey"],
};

const KEY_STATES = ["valid", "expired", "revoked", "rotated within the overlap", "rotated away"] as const;
type KeyState = (typeof KEY_STATES)[number];
const ACCEPTED: ReadonlySet<KeyState> = new Set(["valid", "rotated within the overlap"]);

const routes = Object.entries(REST) as [RouteName, Route][];
const LET_THROUGH = 299;
const LONG_MS = 3_600_000;

let tested: TestApp;
let folder: string;
const texts = new Map<string, string>();

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "swarm-roles-"));
  const ring = openKeyRing(join(folder, "keys.json"));
  for (const role of PERSON_ROLES) {
    for (const state of KEY_STATES) {
      const { key, text } = await ring.change((keys, now) =>
        addKey(keys, { role, expiresAt: state === "expired" ? now : null }, now),
      );
      texts.set(`${role} ${state}`, text);
      const overlapMs = state === "rotated away" ? 0 : LONG_MS;
      if (state.startsWith("rotated"))
        await ring.change((keys, now) => rotateKey(keys, key.id, { overlapMs }, now));
      if (state === "revoked") await ring.change((keys) => revokeKey(keys, key.id));
    }
  }
  tested = await buildTestApp(ring);
  // The last hook: what comes so far is let through.
  tested.app.addHook("onRequest", async (request, reply) => {
    if (request.routeOptions.config.needs !== undefined) await reply.code(LET_THROUGH).send();
  });
});
afterAll(async () => {
  await tested[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

let asked = 0;

/** The status of a request. Each comes from an address of its own, as an address may be wrong only so often. */
async function statusOf(method: Route["method"] | "PUT", path: string, key: string | null): Promise<number> {
  asked += 1;
  const remoteAddress = `10.${(asked >> 16) & 255}.${(asked >> 8) & 255}.${asked & 255}`;
  const headers = key === null ? {} : { authorization: `Bearer ${key}` };
  return (await tested.app.inject({ method, url: path, headers, remoteAddress })).statusCode;
}

const pathOf = ({ path }: Route) => path.replaceAll(":queue", "plan").replaceAll(/:\w+/g, "1");

describe.each(routes)("%s", (_name, route) => {
  test("without a key, and with a wrong one, it is refused, unless it needs nothing", async () => {
    const expected = route.needs === "nothing" ? LET_THROUGH : 401;
    const wrong = texts.get("admin valid")?.replace(/.$/, (last) => (last === "0" ? "1" : "0")) ?? "";
    for (const key of [null, "", "ask__", wrong])
      expect(await statusOf(route.method, pathOf(route), key), String(key)).toEqual(expected);
  });

  test.each(KEY_STATES)("a key that is %s is let through by its role only", async (state) => {
    for (const role of PERSON_ROLES) {
      const status = await statusOf(route.method, pathOf(route), texts.get(`${role} ${state}`) ?? "");
      const { needs } = route;
      const allowed = needs === "nothing" || (ACCEPTED.has(state) && includesRole(role, needs));
      const expected = allowed ? LET_THROUGH : ACCEPTED.has(state) ? 403 : 401;
      expect([role, status]).toEqual([role, expected]);
    }
  });
});

test("a route of the API that is in no table is not served", () => {
  const app: App = Fastify().withTypeProvider<ZodTypeProvider>();
  guard(app, openKeyRing(join(folder, "none.json")), { always: true, hosts: [] });
  expect(() => app.get("/v1/new", () => "")).toThrow("GET /v1/new is in no table of routes");
});

test("who looks at something needs to be a viewer, who changes something more, and probes need nothing", () => {
  const listed = new Map(
    Object.entries(NEEDED).flatMap(([role, names]) =>
      names.map((name) => [name, role as PersonRole] as const),
    ),
  );
  for (const [name, { method, tag, needs }] of routes) {
    const looks: Route["needs"] = tag === "probes" && name !== "getMetrics" ? "nothing" : "viewer";
    const known = listed.get(name);
    if (known !== undefined) expect([name, needs]).toEqual([name, known]);
    else if (method === "GET") expect([name, needs]).toEqual([name, looks]);
    else expect([name, needs]).not.toEqual([name, expect.toBeOneOf(["viewer", "nothing"])]);
  }
});

test.each([
  ["GET", "/", "viewer"],
  ["GET", "/docs", "viewer"],
  ["GET", "/docs/json", "viewer"],
  ["GET", "/queues", "viewer"],
  ["GET", "/queues/api/queues", "viewer"],
  ["PUT", "/queues/api/queues/plan/1/retry", "operator"],
  ["PUT", "/queues/api/queues/plan/retry/failed", "operator"],
  ["GET", "/none", "viewer"],
  ["POST", "/v1/none", "operator"],
] as const)("%s %s, which is in no table, is for a %s", async (method, path, needed) => {
  expect(await statusOf(method, path, null)).toBe(401);
  for (const role of PERSON_ROLES) {
    const status = await statusOf(method, path, texts.get(`${role} valid`) ?? "");
    expect([role, status === 403]).toEqual([role, !includesRole(role, needed)]);
    expect(status).not.toBe(401);
  }
});
