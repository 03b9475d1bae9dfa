import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openWaiting, type QueueConnection } from "@agentswarm/queue";
import { createLogger } from "@agentswarm/service";
import { openTestConnection } from "../../../test/support/test-connection.ts";
import { waitUntil } from "../../../test/support/wait-until.ts";
import { awaitOrigin } from "./await-origin.ts";

const dir = mkdtempSync(join(tmpdir(), "swarm-await-origin-"));
const log = createLogger({ service: "test", level: "silent" });
let connection: QueueConnection;
beforeAll(async () => {
  connection = await openTestConnection();
  return () => connection[Symbol.asyncDispose]();
});
afterAll(async () => {
  rmSync(dir, { recursive: true, force: true });
});

function locationOf(name: string) {
  const url = join(dir, `${name}.git`);
  const own = { repoId: name, url, credential: undefined, trunk: undefined };
  return { ...own, mirrorDir: join(dir, `${name}-mirror`), storeDir: join(dir, "store.git") };
}
const init = (url: string) => execFileSync("git", ["init", "-q", "--bare", "--initial-branch=main", url]);
const reasonOf = async (name: string) =>
  (await openWaiting(connection).read()).reasons().find(({ reason }) => reason.includes(`${name}.git`)) ??
  null;

test("on an empty repository the service that may push makes the first commit, and the others wait for it", async () => {
  const location = locationOf("empty");
  init(location.url);
  const context = { log, signal: new AbortController().signal };
  const reading = awaitOrigin(context, connection, location);
  const shown = await waitUntil("the reason", 20_000, () => reasonOf("empty"));
  expect(shown).toMatchObject({ source: "operator", reason: expect.stringContaining("has no commit") });
  using written = await awaitOrigin(context, connection, location, { begins: true });
  using read = await reading;
  expect(await read.head()).toBe(await written.head());
  expect(await reasonOf("empty")).toBeNull();
});

test("a repository that is not there is waited for with the reason, until the service stops", async () => {
  const stopping = new AbortController();
  const location = locationOf("absent");
  const opening = awaitOrigin({ log, signal: stopping.signal }, connection, location, { begins: true });
  opening.catch(() => undefined);
  await waitUntil("the reason", 20_000, () => reasonOf("absent"));
  stopping.abort("shutdown");
  await expect(opening).rejects.toThrow();
});
