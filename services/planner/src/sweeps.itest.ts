import { expect, test } from "vitest";
import { TRUNK_HEALTH } from "@agentswarm/contracts";
import { jobState, openWaiting } from "@agentswarm/queue";
import { bullQueue } from "../../../test/support/queue.ts";
import { git } from "../../../test/support/string-kit.ts";
import { waitUntil } from "../../../test/support/wait-until.ts";
import { planned, startPlanner, type TestPlanner } from "../testing/start-planner.ts";

const plan = { tasks: [planned("a"), planned("b", "a")] };
const met = { met: true, reason: "It is all there.", tasks: [] };
const answer = (_: number, text: string) => (text.includes("/-/accept") ? met : plan);
const commit = "c".repeat(40);
/** Resolves once the planner has handled a message. */
const handled = (planner: TestPlanner, id: string) =>
  waitUntil(`the end of ${id}`, 20_000, async () =>
    (await jobState(planner.connection, "plan", id)) === "completed" ? true : null,
  );

test("a feature ends by the first green that has all its landings, and a repeated red sweep books one fix per failure", async () => {
  await using planner = await startPlanner(answer);
  const id = await planner.submit();
  await planner.land(await planner.sentAs("a"));
  const early = planner.swept("green");
  await planner.land(await planner.sentAs("b"));
  await planner.ledger(id, (one) => one.status === "verifying");
  // Green has the landing of a only.
  await planner.send(early, "early");
  await handled(planner, "early");
  expect((await planner.ledger(id)).status).toBe("verifying");
  for (let sent = 0; sent < 3; sent += 1) await planner.send(planner.swept("red", ["one", "two"]));
  const health = await planner.ledger(TRUNK_HEALTH, (one) => one.tasks.length === 2);
  expect(health.tasks.map((record) => [record.signature, record.task.kind, record.task.priority])).toEqual([
    ["one", "fix", 1],
    ["two", "fix", 1],
  ]);
  await planner.send(planner.swept("green"));
  expect(await planner.ledger(id, (one) => one.status === "done")).toMatchObject({
    reason: "It is all there.",
  });
  expect((await planner.ledger(TRUNK_HEALTH)).tasks).toHaveLength(2);
});

test("a feature whose trunk is found red three times without an open fix fails with the reason", async () => {
  await using planner = await startPlanner(answer);
  const id = await planner.submit();
  await planner.land(await planner.sentAs("a"));
  await planner.land(await planner.sentAs("b"));
  await planner.ledger(id, (one) => one.status === "verifying");
  const waiting = openWaiting(planner.connection);
  // A sweep that cannot run does not count, however often: the feature waits with its reason.
  for (const sweepId of ["first", "second", "third"])
    await planner.send(planner.swept("error", [], "swarm.json: no JSON"), sweepId);
  const shown = await waitUntil("the reason", 20_000, async () => (await waiting.read()).feature(id));
  expect(shown).toMatchObject({ source: "operator", reason: expect.stringContaining("swarm.json: no JSON") });
  const sweep = planner.swept("red");
  for (const sweepId of ["one", "two"]) await planner.send(sweep, sweepId);
  await planner.ledger(id, (one) => one.redSweeps.length === 2);
  expect((await waiting.read()).feature(id)).toBeNull();
  // A redelivery, as after a crash, does not count again.
  await handled(planner, "two");
  await bullQueue(planner.connection, "plan").remove("two");
  for (const sweepId of ["two", "three"]) await planner.send(sweep, sweepId);
  const ledger = await planner.ledger(id, (one) => one.status === "failed");
  expect(ledger.reason).toContain("the trunk was not green in 3 sweeps, and no fix is under way");
  expect(new Set(ledger.redSweeps)).toEqual(new Set(["one", "two", "three"]));
  // After a person's retry it waits for green again.
  await planner.send({ kind: "retry-feature", featureId: id, by: "ada" });
  await planner.ledger(id, (one) => one.status === "verifying");
  await planner.send(planner.swept("green"));
  await planner.ledger(id, (one) => one.status === "done");
});

test("a fix that is held shows trunk health as held, and the features that wait for green do not wait for it", async () => {
  await using planner = await startPlanner((_, text) =>
    text.includes("/-/accept") ? met : { tasks: [planned("a")] },
  );
  const id = await planner.submit();
  await planner.land(await planner.sentAs("a"));
  await planner.ledger(id, (one) => one.status === "verifying");
  await planner.send(planner.swept("red", ["one"]), "booked");
  const fix = await planner.sentAs("fix-one");
  await handled(planner, "booked");
  expect((await planner.ledger(id)).redSweeps).toEqual([]);
  await planner.handOver(fix, { kind: "held", why: "it changes swarm.json", base: commit });
  const health = await planner.ledger(TRUNK_HEALTH, (one) => one.status === "held");
  expect(health.reason).toBe("fix-one: it changes swarm.json");
  for (const sweepId of ["one", "two", "three"]) await planner.send(planner.swept("red", ["one"]), sweepId);
  await planner.ledger(id, (one) => one.status === "failed");
  const { id: taskId } = fix.task;
  await planner.send({ kind: "approve", taskId, decision: "approve", by: "ada" });
  expect((await planner.sentAs("fix-one", 2)).approved).toMatchObject({ by: "ada" });
  await planner.ledger(TRUNK_HEALTH, (one) => one.status === "building");
});

test("a red sweep that arrives after a newer green one books nothing", async () => {
  await using planner = await startPlanner(answer);
  const id = await planner.submit();
  const red = planner.swept("red", ["one"]);
  await planner.land(await planner.sentAs("a"));
  git(planner.origin, "update-ref", "refs/heads/green", "refs/heads/main");
  await planner.send(red, "late");
  await planner.send(planner.swept("red", ["one"]), "late-too");
  await planner.land(await planner.sentAs("b"));
  await planner.ledger(id, (one) => one.status === "verifying");
  await planner.send(planner.swept("red", ["two"]), "now");
  const health = await planner.ledger(TRUNK_HEALTH);
  expect(health.tasks.map((record) => record.signature)).toEqual(["two"]);
});

test("a force-pushed trunk fails the features whose landings it lost, and the others end as before", async () => {
  await using planner = await startPlanner((_, text) =>
    text.includes("/-/accept") ? met : { tasks: [planned("a")] },
  );
  const build = async () => {
    const id = await planner.submit();
    const commit = await planner.land(await planner.sentAs("a"));
    await planner.ledger(id, (one) => one.status === "verifying");
    return { id, commit };
  };
  const [kept, lost] = [await build(), await build()];
  const green = planner.swept("green");
  git(planner.origin, "update-ref", "refs/heads/main", kept.commit);
  // The mirror of a planner that starts later has no object of the lost history.
  git(planner.origin, "reflog", "expire", "--expire=now", "--all");
  git(planner.origin, "prune", "--expire=now");
  await planner.send(green);
  await planner.service.says("green is not on the trunk");
  const failed = await planner.ledger(lost.id, (one) => one.status === "failed");
  expect(failed.reason).toContain("force-pushed or rewound");
  expect(failed.reason).toContain(lost.commit.slice(0, 12));
  await planner.service.says("the trunk lost landings of a feature");
  expect(await planner.ledger(kept.id)).toMatchObject({ status: "verifying", redSweeps: [] });
  await planner.send(planner.swept("green"));
  await planner.ledger(kept.id, (one) => one.status === "done");
});
