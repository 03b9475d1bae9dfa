import { mkdtempSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openQueue, type QueueConnection } from "@agentswarm/queue";
import { loggedEvents, pendingBodies } from "../../../test/support/queue.ts";
import { startRedis, type TestRedis } from "../../../test/support/redis.ts";
import { answered, decisionEvent, makeDecision } from "../testing/make-decision.ts";
import { makeEvents, PRICE_USD } from "../testing/make-events.ts";
import { openTestIntake } from "../testing/open-intake.ts";
import { readViews } from "../testing/read-views.ts";
import { forgetFeatures } from "./project/forget-features.ts";
import { rebuildFromArchive, replaceViews } from "./project/rebuild-views.ts";

let redis: TestRedis;
let home: string;
let prefixes = 0;
beforeAll(async () => {
  redis = await startRedis();
  home = mkdtempSync(join(tmpdir(), "swarm-rebuild-"));
});
afterAll(async () => {
  await redis.stop();
  rmSync(home, { recursive: true, force: true });
});

const open = () =>
  openQueue({
    redisUrl: redis.url,
    prefix: `${redis.prefix}-${(prefixes += 1)}`,
    service: "test",
    onError: () => undefined,
  });
const folder = (name: string) => join(home, name);
/** What `FLUSHALL` does, to one swarm. */
async function wipe(connection: QueueConnection): Promise<void> {
  const keys = await connection.redis.keys(`${connection.prefix}*`);
  await connection.redis.unlink(...keys);
}

test("views that are rebuilt from the archive equal those that were there, and the archive may hold events twice", async () => {
  await using connection = await open();
  using intake = await openTestIntake(connection, folder("equal"));
  for (const nth of [1, 2, 3]) {
    for (const event of makeEvents(`feature-${nth}`, 5).slice(0, nth === 3 ? -4 : undefined))
      await intake.take(event);
  }
  const twice = makeEvents("feature-1", 5).slice(3, 9);
  await intake.archive.append(twice);
  const before = await readViews(connection);
  const report = await rebuildFromArchive(connection, intake.archive);
  expect(report).toMatchObject({
    features: 3,
    tasks: 15,
    keptFeatures: 0,
    withoutBeginning: [],
    sentAgain: [],
  });
  expect(await readViews(connection)).toEqual(before);
  // The next event finds the views as before.
  for (const event of makeEvents("feature-3", 5)) await intake.take(event);
  expect((await intake.model.feature("feature-3"))?.cost.usd).toBe(10 * PRICE_USD);
  expect((await loggedEvents(connection)).length).toBe(3 * makeEvents("feature-1", 5).length);
});

test("a rebuild that is killed leaves the views as they are, and events wait while one runs", async () => {
  await using connection = await open();
  using intake = await openTestIntake(connection, folder("killed"));
  const [first, ...rest] = makeEvents("feature-1", 2);
  if (first === undefined) throw new Error("no events");
  await intake.take(first);
  const before = await readViews(connection);
  const { promise: mayEnd, resolve: end } = Promise.withResolvers<undefined>();
  const failing = replaceViews(connection, async () => {
    await mayEnd;
    throw new Error("killed");
  });
  const taking = Promise.all(rest.map((event) => intake.take(event)));
  expect(await rebuildFromArchive(connection, intake.archive)).toBeNull();
  expect(await readViews(connection)).toEqual(before);
  end(undefined);
  await expect(failing).rejects.toThrow("killed");
  await taking;
  expect((await intake.model.feature("feature-1"))?.status).toBe("done");
});

test("features older than the archive keep their views and their costs", async () => {
  await using connection = await open();
  using intake = await openTestIntake(connection, folder("older"));
  const old = makeEvents("feature-old", 3);
  for (const event of old.slice(0, 20)) await intake.take(event);
  const archive = join(folder("older"), "artifacts/events/2026-11-21.jsonl");
  renameSync(archive, `${archive}.gone`);
  for (const event of [...old.slice(20), ...makeEvents("feature-new", 2)]) await intake.take(event);
  const before = await readViews(connection);
  const report = await rebuildFromArchive(connection, intake.archive);
  expect(report).toMatchObject({ features: 2, keptFeatures: 1, withoutBeginning: [] });
  const { featureTasks: _, ...after } = await readViews(connection);
  expect(before).toMatchObject(after);
});

test("a wiped Redis is filled from the archive, and what had not ended is planned again (fault 13)", async () => {
  await using connection = await open();
  using intake = await openTestIntake(connection, folder("wiped"));
  const done = makeEvents("feature-done", 2);
  const open_ = makeEvents("feature-open", 2).slice(0, -2);
  for (const event of [...done, ...open_]) await intake.take(event);
  const before = await readViews(connection);
  await wipe(connection);
  const filled = await intake.fill();
  expect(filled).toMatchObject({ kind: "wiped", report: { features: 2, sentAgain: ["feature-open"] } });
  expect(await pendingBodies(connection, "plan")).toMatchObject([
    {
      kind: "feature",
      feature: { id: "feature-open", title: "Feature feature-open", createdAt: expect.any(Number) },
    },
  ]);
  const { features: _, tasks: _tasks, ...indexes } = await readViews(connection);
  expect(before).toMatchObject(indexes);
  expect((await intake.model.feature("feature-done"))?.cost.usd).toBe(4 * PRICE_USD);
  // The new ledger begins at version 1, and its events have the ids of those before.
  const again = makeEvents("feature-open", 2);
  for (const event of again) await intake.take(event);
  expect((await intake.model.feature("feature-open"))?.status).toBe("done");
  const after = await readViews(connection);
  expect(await rebuildFromArchive(connection, intake.archive)).toMatchObject({ features: 2, sentAgain: [] });
  expect(await readViews(connection)).toEqual(after);
});

test("Redis is wiped while events come: the views are made first, then the events are taken in", async () => {
  await using connection = await open();
  using intake = await openTestIntake(connection, folder("meanwhile"));
  const events = makeEvents("feature-1", 4);
  for (const event of events.slice(0, 20)) await intake.take(event);
  await wipe(connection);
  for (const event of events.slice(20)) await intake.take(event);
  const feature = await intake.model.feature("feature-1");
  expect([feature?.status, feature?.cost.usd]).toEqual(["done", 8 * PRICE_USD]);
});

test("what the archive does not have from its beginning is named", async () => {
  await using connection = await open();
  using intake = await openTestIntake(connection, folder("named"));
  await intake.archive.append(makeEvents("feature-half", 2).slice(4));
  await wipe(connection);
  const filled = await intake.fill();
  expect(filled).toMatchObject({
    report: { features: 0, withoutBeginning: ["feature/feature-half", "task/feature-half-t0"] },
  });
});

const openOne = makeDecision("d-open", { featureId: "feature-goes-on" });
const endedOne = makeDecision("d-ended", { featureId: "feature-ended" });
const decisions = [
  decisionEvent("decision.asked", openOne, 7),
  decisionEvent("decision.asked", endedOne, 8),
  decisionEvent("decision.answered", answered(endedOne, "ada", "approve", endedOne.askedAt + 1_000), 9),
];

test("decisions are rebuilt from the archive; after a wipe of Redis an open one is withdrawn, until it is asked again", async () => {
  await using connection = await open();
  using intake = await openTestIntake(connection, folder("decided"));
  for (const event of [...makeEvents("feature-goes-on", 1).slice(0, -1), ...decisions])
    await intake.take(event);
  const before = await readViews(connection);
  expect(before["openDecisions"]).toEqual(["999999999999999-d-open", "0"]);
  await rebuildFromArchive(connection, intake.archive);
  expect(await readViews(connection)).toEqual(before);

  await wipe(connection);
  await intake.fill();
  expect(await intake.model.countDecisions()).toMatchObject({ open: 0, byKind: {}, oldestAskedAt: null });
  expect(await intake.model.decision("d-open")).toMatchObject({
    state: "withdrawn",
    endReason: expect.stringContaining("wiped"),
    endedAt: expect.any(Number),
  });
  expect(await intake.model.decision("d-ended")).toMatchObject({ state: "answered" });
  // The new ledger counts from 1.
  await intake.take({ ...decisionEvent("decision.asked", openOne, 2), id: "asked-again" });
  expect(await intake.model.countDecisions()).toMatchObject({ open: 1, byKind: { landing: 1 } });
  const asked = await readViews(connection);
  await rebuildFromArchive(connection, intake.archive);
  expect(await readViews(connection)).toEqual(asked);
});

test("features that ended long ago are not shown any more, nor their tasks and decisions; those that go on are", async () => {
  await using connection = await open();
  using intake = await openTestIntake(connection, folder("forgotten"));
  const ended = makeEvents("feature-ended", 2).map((event) =>
    event.type === "feature.changed" ? { ...event, data: { ...event.data, finishedAt: event.at } } : event,
  );
  const goesOn = makeEvents("feature-goes-on", 2).slice(0, -1);
  for (const event of [...ended, ...goesOn, ...decisions]) await intake.take(event);
  const { signal } = new AbortController();
  const end = ended.at(-1)?.at ?? 0;
  expect(await forgetFeatures(intake.views, end, signal)).toBe(0);
  expect(await forgetFeatures(intake.views, end + 1, signal)).toBe(4);
  expect(await intake.model.decision("d-ended")).toBeNull();
  expect(await intake.model.decision("d-open")).not.toBeNull();
  const { featureDecisions, taskDecisions } = await readViews(connection);
  expect(JSON.stringify([featureDecisions, taskDecisions])).not.toContain("d-ended");
  expect(await intake.model.feature("feature-ended")).toBeNull();
  expect(await intake.model.task("feature-ended-t0")).toBeNull();
  expect((await intake.model.listFeatures({ limit: 10 })).features.map(({ id }) => id)).toEqual([
    "feature-goes-on",
  ]);
  expect((await intake.model.feature("feature-goes-on"))?.tasks).toHaveLength(2);
  expect(await intake.model.featureCounts()).toEqual({ building: 1 });
});
