import { expect, test } from "vitest";
import { waitUntil } from "../../../test/support/wait-until.ts";
import { bullQueue } from "../../../test/support/queue.ts";
import { hasSchedule } from "@agentswarm/queue";
import { planned, startPlanner } from "../testing/start-planner.ts";

const plan = { tasks: [planned("a"), planned("b", "a"), planned("c")] };
const met = { met: true, reason: "It is all there.", tasks: [] };
/** The usage of each call of the scripted model. */
const CALL_TOKENS = 110;
const answer = (_: number, text: string) => (text.includes("/-/accept") ? met : plan);

test.each(["planner.answered", "planner.stored", "planner.sent"])(
  "fault 1: killed at %s, the planner sends every task once and the feature reaches its end",
  async (failpoint) => {
    await using planner = await startPlanner(answer, { FAILPOINT: failpoint });
    const id = await planner.submit();
    expect(await planner.service.ended).toBe("SIGKILL");
    await planner.again();
    const building = await planner.ledger(id, (ledger) => ledger.tasks.length === 3);
    const sent = await waitUntil("the sending", 20_000, async () => {
      const now = await planner.sent();
      return now.size === 2 ? now : null;
    });
    expect([...sent.keys()].toSorted()).toEqual(["a", "c"]);
    expect(building.revisions).toHaveLength(1);
    expect(await bullQueue(planner.connection, "task").getJobs()).toHaveLength(2);

    for (const key of ["a", "c", "b"]) {
      const message = await waitUntil(
        `${key}'s sending`,
        20_000,
        async () => (await planner.sent()).get(key) ?? null,
      );
      expect(message.round).toBe(1);
      await planner.land(message);
    }
    const verifying = await planner.ledger(id, (ledger) => ledger.status === "verifying");
    expect(verifying.tasks.map((record) => record.status)).toEqual(["landed", "landed", "landed"]);
    await planner.send(planner.swept("green"));
    const done = await planner.ledger(id, (ledger) => ledger.status === "done");
    // Every model call is charged once, also the one whose answer the kill lost.
    expect(done.tokens).toBe(planner.model.asked.length * CALL_TOKENS);
  },
);

test("faults 11 and 14: the audit sends tasks whose jobs are lost again in the same round", async () => {
  await using planner = await startPlanner(answer);
  const id = await planner.submit();
  await planner.ledger(id, (ledger) => ledger.tasks.some((record) => record.round === 1));
  const before = await waitUntil("the sending", 20_000, async () => {
    const now = await planner.sent();
    return now.size === 2 ? now : null;
  });
  await bullQueue(planner.connection, "task").obliterate({ force: true });
  const again = await waitUntil("sending again", 20_000, async () => {
    const now = await planner.sent();
    return now.size === 2 ? now : null;
  });
  for (const [key, message] of before) expect(again.get(key)).toEqual(message);
});

test("a wiped Redis is logged as an error, and the audit's schedule is restored", async () => {
  await using planner = await startPlanner(answer, {}, "it flushes the server");
  const id = await planner.submit();
  const message = await waitUntil("the sending", 20_000, async () => (await planner.sent()).get("a") ?? null);
  await planner.land(message);
  await planner.ledger(id, (ledger) => ledger.tasks.some((record) => record.status === "landed"));
  await planner.connection.redis.flushall();
  await planner.service.says("THE AUDIT'S SCHEDULE IS GONE");
  await planner.service.says("THE LEDGER IS EMPTY");
  await waitUntil("the schedule", 20_000, async () =>
    (await hasSchedule(planner.connection, "plan", "audit")) ? true : null,
  );
  // A feature that is submitted now is planned as before.
  const next = await planner.submit("Another thing");
  await planner.ledger(next, (ledger) => ledger.tasks.length === 3);
});

test("SIGTERM during a model call ends the planner, and the next planner repeats the call", async () => {
  await using planner = await startPlanner((nth) => (nth === 0 ? () => undefined : plan));
  const id = await planner.submit();
  await waitUntil("the question", 20_000, () => (planner.model.asked.length === 1 ? true : null));
  expect(await planner.service.stop()).toBe(0);
  await planner.again();
  await planner.ledger(id, (ledger) => ledger.tasks.length === 3);
  expect(planner.model.asked).toHaveLength(2);
});
