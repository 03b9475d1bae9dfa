import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startMerger, type Attempt, type TestMerger } from "../../services/merger/testing/start-merger.ts";
import { openPackageRegistry, type PackageRegistry } from "../support/package-registry.ts";

/** What a server of the host's network hears that no operator configured. */
const heard: string[] = [];
let server: Server;
let address: string;
let registry: PackageRegistry;
let merger: TestMerger;
beforeAll(async () => {
  server = createServer((request, response) => {
    heard.push(`${request.method} ${request.url}`);
    response.writeHead(404).end();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  registry = await openPackageRegistry([
    { manifest: { name: "a", version: "1.0.0" } },
    { manifest: { name: "carrier", version: "1.0.0", dependencies: { x: `${address}/carried` } } },
  ]);
  merger = await startMerger({ checks: ["true"], env: { npm_config_registry: registry.url } });
});
afterAll(async () => {
  await merger[Symbol.asyncDispose]();
  await registry[Symbol.asyncDispose]();
  server.close();
});

async function outcomeOf(taskId: string, dependencies: object, more: Record<string, string> = {}) {
  const manifest = { name: "string-kit", scripts: { test: "node --test" }, dependencies };
  const files = { "package.json": JSON.stringify(manifest), ...more };
  const attempt: Attempt = { taskId, base: merger.head(), files, approvedBy: "a-person" };
  await merger.store([attempt]);
  await merger.request([attempt]);
  return await merger.outcome(taskId);
}

const rejected = (words: string) => ({
  kind: "rejected",
  check: "dependencies",
  outputTail: expect.stringContaining(words),
});

test("a dependency's address is not asked", async () => {
  const spec = `${address}/exfil?repo=d2hhdCB0aGUgYWdlbnQgc2F3`;
  expect(await outcomeOf("address", { x: spec })).toMatchObject(rejected(`x@${spec}`));
  expect(heard).toEqual([]);
});

test("an address in a lockfile is not asked", async () => {
  const resolved = `${address}/latest/meta-data/a/a.tgz`;
  const lock = {
    lockfileVersion: 3,
    packages: { "": { dependencies: { a: "1.0.0" } }, "node_modules/a": { version: "1.0.0", resolved } },
  };
  const locked = await outcomeOf("lockfile", { a: "1.0.0" }, { "package-lock.json": JSON.stringify(lock) });
  expect(locked).toMatchObject(rejected(resolved));
  expect(heard).toEqual([]);
});

test("an address that a package of the registry depends on is not asked", async () => {
  expect(await outcomeOf("carried", { carrier: "1.0.0" })).toMatchObject(rejected("npm"));
  expect(heard).toEqual([]);
});

test("who approves a new package reads what the configured registry says of it, and no other address is asked", async () => {
  const manifest = {
    name: "string-kit",
    scripts: {},
    dependencies: { a: "^1.0.0", typo: "1.0.0", x: address },
  };
  const attempt = { taskId: "new", base: merger.head(), files: { "package.json": JSON.stringify(manifest) } };
  await merger.store([attempt]);
  await merger.request([attempt]);
  const known = "the registry says: a (age unknown; newest 1.0.0), typo (does not exist)";
  expect(await merger.outcome("new")).toMatchObject({ kind: "held", why: expect.stringContaining(known) });
  expect(heard).toEqual([]);
});

test("an .npmrc of the candidate chooses no registry", async () => {
  const npmrc = `registry=${address}/\nproxy=${address}/\n`;
  expect(await outcomeOf("npmrc", { a: "1.0.0" }, { ".npmrc": npmrc })).toMatchObject({ kind: "landed" });
  expect(heard).toEqual([]);
  expect(registry.requests).toContain("GET /a");
});
