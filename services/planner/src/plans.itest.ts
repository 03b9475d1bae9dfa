import { expect, test } from "vitest";
import { openWaiting } from "@agentswarm/queue";
import { refusal } from "../../../test/support/scripted-model.ts";
import { waitUntil } from "../../../test/support/wait-until.ts";
import { planned, startPlanner } from "../testing/start-planner.ts";

const plan = { tasks: [planned("a")] };

test("an invalid answer is repeated once with the reason", async () => {
  await using planner = await startPlanner((nth) => (nth === 0 ? '{"tasks": [{"key": ' : plan));
  const id = await planner.submit();
  const ledger = await planner.ledger(id, (one) => one.tasks.length === 1);
  expect(ledger).toMatchObject({ planningRound: 1, revisions: [{ number: 1 }] });
  expect(planner.model.asked).toHaveLength(2);
  expect(planner.model.asked[1]).toContain("That answer does not match the schema: it is not JSON");
});

const many = { tasks: Array.from({ length: 10_000 }, (_, nth) => planned(`t${nth}`)) };

test.each([
  ["no tasks", { tasks: [] }, "the plan has no task"],
  ["a cycle", { tasks: [planned("a", "b"), planned("b", "a")] }, "a → b → a"],
  ["an unknown dependency", { tasks: [planned("a", "nowhere")] }, "a depends on nowhere"],
  ["10,000 tasks", many, "10000 tasks; 60 are allowed (MAX_TASKS_PER_PLAN)"],
  ["no JSON in any answer", "I would rather not.", "second answer does not match the schema either"],
])(
  "a plan with %s is refused, and the feature fails after three of them with the reason",
  async (_, answer, why) => {
    await using planner = await startPlanner(() => answer);
    const id = await planner.submit();
    const ledger = await planner.ledger(id, (one) => one.status === "failed");
    expect(ledger.reason).toContain(why);
    expect(ledger.tasks).toEqual([]);
    expect(await planner.sent()).toEqual(new Map());
    const rejections = (await planner.events()).filter((event) => event.type === "plan.rejected");
    expect(rejections).toHaveLength(3);
    expect(ledger.planningRound).toBe(1);
    expect(rejections[0]?.data["reason"]).toContain(why);
    // The next prompt has the reason of the last refusal.
    expect(planner.model.asked.at(-1)).toContain(why);
  },
);

test("a valid plan after a refused one is adopted", async () => {
  await using planner = await startPlanner((nth) => (nth === 0 ? { tasks: [] } : plan));
  const id = await planner.submit();
  expect(await planner.ledger(id, (one) => one.tasks.length === 1)).toMatchObject({
    planningRound: 1,
    refusedPlans: 0,
  });
});

test("a model that is unavailable for a while only delays the plan", async () => {
  await using planner = await startPlanner((nth) => {
    if (nth === 0) return refusal(429, { "retry-after": "1" });
    return nth < 3 ? refusal(500) : plan;
  });
  const id = await planner.submit();
  expect(await planner.ledger(id, (one) => one.tasks.length === 1)).toMatchObject({ planningRound: 1 });
});

test("features wait while the model refuses the key, with the setting's name, and go on when it is accepted", async () => {
  let isAccepted = false;
  await using planner = await startPlanner(() => (isAccepted ? plan : refusal(401)));
  const ids = await Promise.all(["One", "Two", "Three"].map((title) => planner.submit(title)));
  const waiting = openWaiting(planner.connection);
  for (const id of ids) {
    const shown = await waitUntil(`the reason of ${id}`, 30_000, async () =>
      (await waiting.read()).feature(id),
    );
    expect(shown.reason).toMatch(/^the model refuses calls: .* answered 401 .*: correct LLM_API_KEY$/);
    expect(shown.source).toBe("operator");
  }
  isAccepted = true;
  for (const id of ids) {
    // No planning round is used up, and nothing is charged for refused calls.
    expect(await planner.ledger(id, (one) => one.tasks.length === 1)).toMatchObject({ planningRound: 1 });
    await waitUntil(`the end of the wait`, 30_000, async () =>
      (await waiting.read()).feature(id) === null ? true : null,
    );
  }
  const used = (await planner.events()).filter((event) => event.type === "model.used");
  expect(used).toHaveLength(ids.length);
});
