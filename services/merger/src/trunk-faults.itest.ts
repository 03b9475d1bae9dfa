import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { openQueue, type QueueConnection } from "@agentswarm/queue";
import { commitFiles } from "../../../test/support/commit-files.ts";
import { startRedis, type TestRedis } from "../../../test/support/redis.ts";
import { git, makeStringKit } from "../../../test/support/string-kit.ts";
import { runLandings, type Landings } from "../testing/run-landings.ts";

const MAIN = "refs/heads/main";
const dir = mkdtempSync(join(tmpdir(), "swarm-merger-trunk-"));
let redis: TestRedis;
let connection: QueueConnection;
beforeAll(async () => {
  redis = await startRedis();
  connection = await openQueue({ redisUrl: redis.url, prefix: redis.prefix, service: "merger" });
});
afterAll(async () => {
  await connection?.[Symbol.asyncDispose]();
  await redis?.stop();
  rmSync(dir, { recursive: true, force: true });
});

const KINDS = ["in place", "by a mirror"] as const;
let home: string;
let origin: string;
let landings: Landings;
let labs = 0;
afterEach(() => landings[Symbol.asyncDispose]());

/** A new origin, and a merger's queue on its trunk. */
async function begin(kind: (typeof KINDS)[number] = "in place"): Promise<void> {
  home = join(dir, String((labs += 1)));
  mkdirSync(home);
  origin = makeStringKit(home);
  if (kind === "by a mirror") {
    mkdirSync(join(origin, "hooks"), { recursive: true });
    writeFileSync(join(origin, "hooks/post-update"), "#!/bin/sh\nexit 0\n");
    chmodSync(join(origin, "hooks/post-update"), 0o755);
  }
  landings = await open();
}
const open = (trunk?: string) =>
  runLandings({ connection, origin, home, ...(trunk === undefined ? {} : { trunk }) });
const head = (ref = MAIN) => git(origin, "rev-parse", "--verify", ref);
const files = () => git(origin, "ls-tree", "-r", "--name-only", "main");

test.each(KINDS)(
  "with a trunk used %s, after a forced push attempts land upon the new history, and a task that it took off the trunk lands again",
  async (kind) => {
    await begin(kind);
    const first = head();
    expect(await landings.land("lost", first)).toMatchObject({ kind: "landed" });
    expect(await landings.land("lost", first)).toMatchObject({ kind: "already-landed" });
    commitFiles(origin, [{ ref: MAIN, base: first, files: { other: "other" } }]);
    const other = head();
    expect(await landings.land("next", first)).toMatchObject({ kind: "landed", commit: head() });
    expect(git(origin, "rev-parse", "main^")).toBe(other);
    // The index of landings must not remember what the trunk has lost.
    expect(await landings.land("lost", other)).toMatchObject({ kind: "landed", commit: head() });
    expect(files()).toContain("src/lost.js");
  },
);

test("after a rewind the tasks that are still on the trunk do not land again", async () => {
  await begin();
  await landings.land("kept", head());
  const keptAt = head();
  await landings.land("lost", keptAt);
  git(origin, "update-ref", MAIN, keptAt);
  expect(await landings.land("kept", keptAt)).toEqual({ kind: "already-landed", commit: keptAt });
  expect(await landings.land("lost", keptAt)).toMatchObject({ kind: "landed" });
});

test("a trunk that is gone charges no attempt, and attempts land when it is back, or under the name that TRUNK gives", async () => {
  await begin();
  const first = head();
  git(origin, "branch", "-m", "main", "trunk");
  await expect(landings.land("task", first)).rejects.toMatchObject({
    code: "target.invalid",
    source: "operator",
    retryable: true,
    message: `${origin} has no branch main: set TRUNK to one it has`,
  });
  await landings[Symbol.asyncDispose]();
  landings = await open("trunk");
  expect(await landings.land("task", first)).toMatchObject({ commit: head("refs/heads/trunk") });
  await landings[Symbol.asyncDispose]();
  git(origin, "branch", "-m", "trunk", "main");
  landings = await open();
  expect(await landings.land("task-2", first)).toMatchObject({ commit: head() });
});

test("a broken swarm.json on the trunk charges no attempt, and attempts land upon the commit that repairs it", async () => {
  await begin();
  const first = head();
  commitFiles(origin, [{ ref: MAIN, base: first, files: { "swarm.json": '{"checks": ,}' } }]);
  await expect(landings.land("task", first)).rejects.toMatchObject({
    code: "target.invalid",
    source: "operator",
    retryable: true,
    message: expect.stringContaining("swarm.json"),
  });
  commitFiles(origin, [{ ref: MAIN, base: head(), files: { "swarm.json": '{"checks": {"gate": []}}' } }]);
  expect(await landings.land("task", first)).toMatchObject({ kind: "landed", commit: head() });
});

// Fault 22, with decide-after-fault: a retryable fault is tried again every minute at most, without an end.
test.each(KINDS)(
  "with a trunk used %s, an origin that is away charges no attempt, however often it is tried, and the attempt lands when it is back",
  async (kind) => {
    await begin(kind);
    const stored = landings.store("task", head());
    renameSync(origin, `${origin}.away`);
    for (let tries = 0; tries < 3; tries += 1)
      await expect(landings.ask(stored)).rejects.toMatchObject({
        code: "origin.unreachable",
        source: "origin",
        retryable: true,
      });
    renameSync(`${origin}.away`, origin);
    expect(await landings.ask(stored)).toMatchObject({ kind: "landed", commit: head() });
  },
);

test("an attempt whose ref the store has lost ends as lost, and the others of its batch land", async () => {
  await begin();
  const base = head();
  const gone = landings.store("gone", base);
  git(join(home, "store.git"), "update-ref", "-d", gone.ref);
  const outcomes = await Promise.all([landings.ask(gone), landings.land("there", base)]);
  expect(outcomes).toMatchObject([
    { kind: "unsafe", lost: true, why: `the store has no ref ${gone.ref}` },
    { kind: "landed" },
  ]);
});
