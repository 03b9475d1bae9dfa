import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { npmConfigOf } from "./npm-config.ts";
import { openPackageFacts } from "./package-facts.ts";

const TIME = { created: "2026-11-18T07:00:00.000Z", "2.0.0": "2026-11-20T08:00:00.000Z" };
const PACKAGES: Record<string, object> = {
  "/npm/young": { "dist-tags": { latest: "2.0.0" }, time: TIME, maintainers: [{ name: "mallory" }] },
  "/npm/@s%2fscoped": { "dist-tags": { latest: "2.0.0" }, time: TIME, maintainers: [] },
  "/npm/abbreviated": { "dist-tags": { latest: "1.0.0" }, versions: {} },
  "/npm/odd": { "dist-tags": "x", time: { created: "yesterday" }, maintainers: 3 },
};
const asked: string[] = [];
let server: Server;
let registry: string;
let isDown = false;

beforeAll(async () => {
  server = createServer((request, response) => {
    const { url = "" } = request;
    asked.push(url);
    if (url === "/npm/silent") return;
    if (url === "/npm/huge") return void response.end(`{"x":"${"y".repeat(10_000)}"}`);
    const found = PACKAGES[url];
    response.statusCode = isDown ? 503 : found === undefined ? 404 : 200;
    response.end(JSON.stringify(found ?? {}));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  registry = `http://127.0.0.1:${(server.address() as AddressInfo).port}/npm/`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  asked.length = 0;
  isDown = false;
});

const open = (more: Partial<Parameters<typeof openPackageFacts>[0]> = {}) =>
  openPackageFacts({ env: {}, config: npmConfigOf({ registry }, () => ""), ...more });

test("the registry's facts are told: the first day, the newest version and the number of maintainers", async () => {
  using facts = open();
  const newest = { version: "2.0.0", on: "2026-11-20" };
  expect(Object.fromEntries(await facts.of(["young", "@s/scoped", "abbreviated", "odd", "none"]))).toEqual({
    young: { since: "2026-11-18", newest, maintainers: 1 },
    "@s/scoped": { since: "2026-11-18", newest, maintainers: 0 },
    abbreviated: { since: null, newest: { version: "1.0.0", on: null }, maintainers: null },
    odd: { since: null, newest: null, maintainers: null },
    none: "missing",
  });
});

test("a package is asked for once an hour", async () => {
  let time = 0;
  using facts = open({ now: () => time });
  await facts.of(["young", "young"]);
  await facts.of(["young"]);
  expect(asked).toHaveLength(1);
  time = 3_700_000;
  await facts.of(["young"]);
  expect(asked).toHaveLength(2);
});

test("after a registry that does not answer in time, or fails, nothing is asked for a minute", async () => {
  let time = 0;
  using facts = open({ now: () => time, limits: { timeoutMs: 100 } });
  expect((await facts.of(["silent"])).get("silent")).toBe("unknown");
  expect((await facts.of(["young"])).get("young")).toBe("unknown");
  expect(asked).toEqual(["/npm/silent"]);
  time = 61_000;
  isDown = true;
  expect((await facts.of(["young"])).get("young")).toBe("unknown");
  isDown = false;
  time += 61_000;
  expect((await facts.of(["young"])).get("young")).toMatchObject({ maintainers: 1 });
});

test("an answer that is too long is unknown, and so are packages beyond the number of one call", async () => {
  using facts = open({ limits: { bytes: 1_000, packages: 2 } });
  const found = await facts.of(["huge", "young", "none"]);
  expect([found.get("huge"), found.get("none")]).toEqual(["unknown", undefined]);
  expect(found.get("young")).toMatchObject({ since: "2026-11-18" });
});
