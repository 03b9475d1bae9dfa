import { expect, test } from "vitest";
import {
  attemptRef,
  isEventOf,
  jobId,
  type MergeOutcome,
  type MergeRequest,
  type PlanMessage,
  type TaskMessage,
} from "@agentswarm/contracts";
import { jobState, openWaiting, pendingJobIds } from "@agentswarm/queue";
import { makeHandoff } from "../../../test/support/make-handoff.ts";
import { bullQueue } from "../../../test/support/queue.ts";
import { waitUntil } from "../../../test/support/wait-until.ts";
import { CONFLICT_LIMIT } from "./ledger/decide-retry.ts";
import { planned, startPlanner, type TestPlanner } from "../testing/start-planner.ts";

const plan = { tasks: [planned("a"), planned("b", "a")] };
const met = { met: true, reason: "It is all there.", tasks: [] };
const answer = (_: number, text: string) => (text.includes("/-/accept") ? met : plan);
const commit = "c".repeat(40);
const mergeRequestOf = ({ task }: TaskMessage): MergeRequest => ({
  taskId: task.id,
  featureId: task.featureId,
  repoId: task.repoId,
  attempt: 1,
  ref: attemptRef(task.id, 1),
  baseCommit: commit,
  headCommit: commit,
  title: task.title,
  handoff: makeHandoff({ taskId: task.id, attempt: 1, headCommit: commit }),
});
/** Resolves once the planner has handled a message. */
const handled = (planner: TestPlanner, id: string) =>
  waitUntil(`the end of ${id}`, 20_000, async () =>
    (await jobState(planner.connection, "plan", id)) === "completed" ? true : null,
  );
const conflict: MergeOutcome = {
  kind: "conflict",
  base: commit,
  theirIntent: "- Another landing",
  paths: [{ path: "src/x.js", base: commit, ours: commit, theirs: commit }],
};

test("a conflict leads to one resolve task with both intents", async () => {
  await using planner = await startPlanner(answer);
  const id = await planner.submit();
  const message = await planner.sentAs("a");
  await planner.handOver(message, conflict);
  await planner.handOver(message, conflict);
  const resolve = await planner.sentAs("a-resolve");
  expect(resolve.task).toMatchObject({ kind: "resolve", parentId: message.task.id });
  expect(resolve.task.resolve).toMatchObject({
    paths: ["src/x.js"],
    theirIntent: "- Another landing",
  });
  expect(resolve.task.resolve?.ourIntent).toContain("All about a");
  await planner.land(resolve);
  await planner.land(await planner.sentAs("b"));
  const ledger = await planner.ledger(id, (one) => one.status === "verifying");
  expect(ledger.tasks.filter((record) => record.task.kind === "resolve")).toHaveLength(1);
});

test("a resolve that keeps conflicting is planned again, never resolved by another", async () => {
  const next = { tasks: [planned("other-way")] };
  await using planner = await startPlanner((nth) => (nth === 0 ? plan : next));
  const id = await planner.submit();
  await planner.handOver(await planner.sentAs("a"), conflict);
  for (let round = 1; round <= CONFLICT_LIMIT; round += 1)
    await planner.handOver(await planner.sentAs("a-resolve", round), conflict);
  await planner.sentAs("other-way");
  const ledger = await planner.ledger(id, (one) => one.planningRound === 2);
  expect(ledger.tasks.filter((record) => record.task.kind === "resolve")).toHaveLength(1);
  expect(planner.model.asked[1]).toContain("src/x.js");
});

test("a later plan's prompt lists every name that landed, and what it repeats of them is not built again", async () => {
  const both = { tasks: [planned("a"), planned("b", "a")] };
  await using planner = await startPlanner(() => both);
  const id = await planner.submit();
  await planner.handOver(await planner.sentAs("a"), conflict);
  await planner.land(await planner.sentAs("a-resolve"));
  for (const round of [1, 2])
    await planner.handOver(await planner.sentAs("b", round), null, { end: "failed" });
  const ledger = await planner.ledger(id, (one) => one.revisions.length === 2);
  expect(planner.model.asked[1]).toContain("- a (landed as a-resolve): Do a\n- a-resolve: Do a");
  expect(ledger).toMatchObject({ status: "building", planningRound: 2 });
  expect(ledger.tasks.map(({ task, status }) => `${task.key} ${status}`)).toEqual([
    "a cancelled",
    "b cancelled",
    "a-resolve landed",
    "b sent",
  ]);
});

test("a held attempt is sent with its approval, or again after a refusal", async () => {
  await using planner = await startPlanner(answer);
  const id = await planner.submit();
  const message = await planner.sentAs("a");
  await planner.handOver(message, { kind: "held", why: "it changes swarm.json", base: commit });
  await planner.ledger(id, (one) => one.tasks[0]?.status === "held");
  const decide = (decision: "approve" | "refuse"): PlanMessage => ({
    kind: "approve",
    taskId: message.task.id,
    decision,
    by: "ada",
    via: "rest",
    reason: "leave the checks alone",
  });
  await planner.send(decide("approve"));
  const approved = await planner.sentAs("a", 2);
  expect(approved.approved).toMatchObject({ by: "ada", attempt: 1 });

  await planner.handOver(approved, { kind: "held", why: "it changes swarm.json", base: commit });
  await planner.ledger(id, (one) => one.tasks[0]?.status === "held");
  await planner.send(decide("refuse"));
  const again = await planner.sentAs("a", 3);
  expect(again.approved).toBeUndefined();
  expect(again.task.feedback).toContain("leave the checks alone");
});

test("the tasks of a cancelled feature leave the queue, the merge queue too, and their late handoffs change nothing", async () => {
  await using planner = await startPlanner(answer);
  const id = await planner.submit();
  const message = await planner.sentAs("a");
  for (const taskId of [message.task.id, "other"])
    await planner.sender.send("merge", mergeRequestOf(message), { jobId: jobId.merge(taskId, 1) });
  await planner.send({ kind: "cancel", featureId: id, by: "ada", via: "rest", why: "" });
  const ended = await planner.ledger(id, (one) => one.status === "cancelled");
  expect(ended.reason).toBe("cancelled by ada");
  await waitUntil("an empty queue", 20_000, async () => ((await planner.sent()).size === 0 ? true : null));
  // Finished work leaves the merge queue too, and that of other tasks stays.
  await waitUntil("an emptier merge queue", 20_000, async () =>
    (await pendingJobIds(planner.connection, "merge")).join() === "merge-other-1" ? true : null,
  );
  await planner.handOver(message, conflict);
  await planner.send({ kind: "audit" });
  const after = await planner.ledger(id, (one) => (one.tasks[0]?.absorbed.length ?? 0) > 0);
  expect(after).toMatchObject({
    status: "cancelled",
    tasks: [{ status: "cancelled" }, { status: "cancelled" }],
  });
  // A person takes it up again and cancels it a second time.
  await planner.send({ kind: "retry-feature", featureId: id, by: "ada", via: "rest" });
  await planner.sentAs("a", 2);
  await planner.send({ kind: "cancel", featureId: id, by: "bob", via: "rest", why: "" });
  const again = await planner.ledger(id, (one) => one.status === "cancelled");
  expect(again.reason).toBe("cancelled by bob");
  await waitUntil("an empty queue", 20_000, async () => ((await planner.sent()).size === 0 ? true : null));
  await waitUntil("the events of who did it", 20_000, async () => {
    const acted = (await planner.events()).filter(isEventOf("person.acted"));
    const actions = acted.map(({ data: { action, by, via } }) => `${action} ${by} ${via}`);
    return actions.toSorted().join() === "cancel ada rest,cancel bob rest,retry ada rest" ? true : null;
  });
});

test("a person's retry reopens a task that failed in every planning round", async () => {
  await using planner = await startPlanner(() => plan);
  const id = await planner.submit();
  const fail = async (round: number) =>
    planner.handOver(await planner.sentAs("a", round), null, {
      end: "failed",
      headCommit: null,
      reason: "no idea",
    });
  for (let planningRound = 1; planningRound <= 3; planningRound += 1) {
    await planner.ledger(id, (one) => one.revisions.length === planningRound);
    await fail(1);
    await fail(2);
  }
  const failed = await planner.ledger(id, (one) => one.status === "failed");
  expect(failed.reason).toContain("no idea");
  const last = failed.tasks.findLast((record) => record.task.key === "a");
  await planner.send({ kind: "retry", taskId: last?.task.id ?? "", by: "ada", via: "rest" });
  const open = await planner.ledger(id, (one) => one.status === "building");
  expect(open.tasks.findLast((record) => record.task.key === "a")).toMatchObject({
    status: "sent",
    round: 3,
  });
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
  await planner.send({ kind: "retry-feature", featureId: id, by: "ada", via: "rest" });
  await planner.ledger(id, (one) => one.status === "verifying");
  await planner.send(planner.swept("green"));
  await planner.ledger(id, (one) => one.status === "done");
});

test("a feature is held while its tasks wait for a held one", async () => {
  await using planner = await startPlanner(answer);
  const id = await planner.submit();
  const message = await planner.sentAs("a");
  await planner.handOver(message, { kind: "held", why: "it changes swarm.json", base: commit });
  const held = await planner.ledger(id, (one) => one.status === "held");
  expect(held.reason).toBe("a: it changes swarm.json");
  expect(held.tasks.map((record) => record.status)).toEqual(["held", "planned"]);
});

test("the acceptance prompt has every agent's claim", async () => {
  await using planner = await startPlanner(answer);
  const id = await planner.submit();
  await planner.land(await planner.sentAs("a"), {
    summary: "Added a.",
    did: ["wrote reverse()"],
    deviations: ["no loop"],
    concerns: ["slow on emoji"],
    suggestions: ["an index"],
  });
  await planner.land(await planner.sentAs("b"));
  await planner.ledger(id, (one) => one.status === "verifying");
  for (const line of [
    "Added a.",
    "did: wrote reverse()",
    "deviation: no loop",
    "concern: slow on emoji",
    "suggestion: an index",
  ])
    expect(planner.model.asked.at(-1)).toContain(line);
});
