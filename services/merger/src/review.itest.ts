import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { LandingMode } from "@agentswarm/contracts";
import { openQueue, type QueueConnection } from "@agentswarm/queue";
import { commitFiles } from "../../../test/support/commit-files.ts";
import { startRedis, type TestRedis } from "../../../test/support/redis.ts";
import { git, makeStringKit } from "../../../test/support/string-kit.ts";
import { runLandings } from "../testing/run-landings.ts";

let redis: TestRedis;
let connection: QueueConnection;
const dir = mkdtempSync(join(tmpdir(), "swarm-review-"));
beforeAll(async () => {
  redis = await startRedis();
  connection = await openQueue({ redisUrl: redis.url, prefix: redis.prefix, service: "test" });
});
afterAll(async () => {
  await connection[Symbol.asyncDispose]();
  await redis.stop();
  rmSync(dir, { recursive: true, force: true });
});

/** A merge queue in one of the modes, on a new trunk with these rules in its swarm.json. */
async function openTrunk(landing: LandingMode, review: object = {}) {
  const at = join(dir, `${landing}-${Object.keys(review).join("-")}`);
  mkdirSync(at);
  const origin = makeStringKit(at);
  const files = { "swarm.json": JSON.stringify({ checks: { gate: [] }, review }) };
  commitFiles(origin, [{ ref: "refs/heads/main", base: git(origin, "rev-parse", "main"), files }]);
  const landings = await runLandings({ connection, origin, home: at, landing });
  const message = () => git(origin, "log", "-1", "--format=%B", "main");
  return { landings, head: () => git(origin, "rev-parse", "main"), message };
}

test("where every landing waits for a person, an attempt lands by its own approval and by no other", async () => {
  const { landings, head, message } = await openTrunk("hold");
  await using merger = landings;
  const base = head();
  const first = merger.store("login", base);
  expect(await merger.ask(first)).toMatchObject({
    kind: "held",
    why: "every landing waits for a person (LANDING=hold)",
  });
  // Attempt 1 was refused, and attempt 2 is held, when the approval of attempt 1 arrives.
  const second = merger.store("login", base);
  expect(await merger.ask(second)).toMatchObject({ kind: "held" });
  const late = { ...second, approvedBy: "ada", approvedHead: first.headCommit };
  expect(await merger.ask(late)).toMatchObject({
    kind: "unsafe",
    why: expect.stringContaining("approval by ada"),
  });
  expect(head()).toBe(base);
  const byDefault = ["Which port? – 80"];
  const approved = { ...second, approvedBy: "ada", approvedHead: second.headCommit, byDefault };
  expect(await merger.ask(approved)).toMatchObject({ kind: "landed" });
  expect(head()).not.toBe(base);
  // What nobody answered in time is said in the landing.
  expect(message()).toContain("\nDecided by default: Which port? – 80\n");
});

test("by policy only what the trunk's swarm.json names waits for a person", async () => {
  const { landings, head } = await openTrunk("policy", { paths: ["src/auth.js"], kinds: ["fix"] });
  await using merger = landings;
  const ask = (taskId: string, kind: "build" | "fix") =>
    merger.ask({ ...merger.store(taskId, head()), kind });
  expect(await ask("pad", "build")).toMatchObject({ kind: "landed" });
  expect(await ask("auth", "build")).toMatchObject({
    kind: "held",
    why: expect.stringContaining("src/auth.js"),
  });
  expect(await ask("trim", "fix")).toMatchObject({ kind: "held", why: expect.stringContaining("kind fix") });
});

test("by policy the lines of an attempt are counted; a binary file cannot hide them", async () => {
  const { landings, head } = await openTrunk("policy", { lines: 1 });
  await using merger = landings;
  const base = head();
  const store = (taskId: string, text: string) => merger.store(taskId, base, { [`src/${taskId}.js`]: text });
  const ask = (taskId: string, text: string) => merger.ask({ ...store(taskId, text), kind: "build" });
  expect(await ask("one", "// 1\n")).toMatchObject({ kind: "landed" });
  expect(await ask("two", "// 1\n// 2\n")).toMatchObject({
    kind: "held",
    why: expect.stringContaining("2 lines"),
  });
  expect(await ask("nul", "// 1\0\n// 2\n")).toMatchObject({
    kind: "held",
    why: expect.stringContaining("cannot be counted"),
  });
});
