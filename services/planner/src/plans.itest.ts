import type { ServerResponse } from "node:http";
import { expect, test } from "vitest";
import { openTrunkStates, openWaiting } from "@agentswarm/queue";
import { bullQueue } from "../../../test/support/queue.ts";
import { answerWith, refusal } from "../../../test/support/scripted-model.ts";
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

/** Answers of the model by the title of the feature, with the reason of the refusal. */
const INVALID: Readonly<Record<string, readonly [answer: object | string, why: string]>> = {
  "No tasks": [{ tasks: [] }, "the plan has no task"],
  "A cycle": [{ tasks: [planned("a", "b"), planned("b", "a")] }, "a → b → a"],
  "An unknown dependency": [{ tasks: [planned("a", "nowhere")] }, "a depends on nowhere"],
  "10,000 tasks": [many, "10000 tasks; 60 are allowed (MAX_TASKS_PER_PLAN)"],
  "No JSON": ["I would rather not.", "second answer does not match the schema either"],
};

test("fault 38: a feature fails after three refused plans in one round, with the reason", async () => {
  const titles = Object.keys(INVALID);
  await using planner = await startPlanner((_, text) => {
    const title = titles.find((one) => text.includes(`# ${one}\n`)) ?? "";
    return INVALID[title]?.[0] ?? {};
  });
  const ids = await Promise.all(titles.map((title) => planner.submit(title)));
  for (const [nth, id] of ids.entries()) {
    const [title = "", why = ""] = [titles[nth], INVALID[titles[nth] ?? ""]?.[1]];
    const ledger = await planner.ledger(id, (one) => one.status === "failed");
    expect(ledger.reason).toContain(why);
    expect(ledger).toMatchObject({ tasks: [], planningRound: 1 });
    const about = (await planner.events()).filter((event) => event.type === "plan.rejected");
    const rejections = about.filter((event) => event.featureId === id);
    expect(rejections.map((event) => event.data.reason)).toEqual(Array(3).fill(expect.stringContaining(why)));
    // The next prompt has the reason of the last refusal.
    expect(planner.model.asked.findLast((text) => text.includes(`# ${title}\n`))).toContain(why);
  }
  expect(await planner.sent()).toEqual(new Map());
});

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

test("a feature waits while LLM_MODEL names no model of the backend, and is planned when it does", async () => {
  const missing = refusal(404, {}, "The model `glm-five` does not exist.");
  await using planner = await startPlanner((_nth, _text, model) => (model === "glm-5" ? plan : missing), {
    LLM_MODEL: "glm-five",
  });
  const id = await planner.submit();
  const shown = await waitUntil("the reason", 30_000, async () =>
    (await openWaiting(planner.connection).read()).feature(id),
  );
  expect(shown).toMatchObject({ source: "operator", service: "planner" });
  expect(shown.reason).toMatch(/answered 404 .*glm-five.*: correct LLM_MODEL, which is glm-five$/);

  await planner.service.stop();
  await planner.again({ LLM_MODEL: "glm-5" });
  const ledger = await planner.ledger(id, (one) => one.tasks.length === 1);
  expect(ledger).toMatchObject({ planningRound: 1, refusedPlans: 0 });
  await waitUntil("the end of the wait", 30_000, async () =>
    (await openWaiting(planner.connection).read()).feature(id) === null ? true : null,
  );
  expect((await planner.events()).filter(({ type }) => type === "model.used")).toHaveLength(1);
});

test("no plan is paid for while the trunk is held", async () => {
  await using planner = await startPlanner(() => plan);
  const states = openTrunkStates(planner.connection);
  const hold = "the trunk's own check `npm test` fails here before any change";
  await states.note("main", { head: "a".repeat(40), hold, unchecked: null });
  const id = await planner.submit();
  const waiting = await waitUntil("the reason", 20_000, async () =>
    (await openWaiting(planner.connection).read()).feature(id),
  );
  expect(waiting).toMatchObject({ reason: hold, source: "operator", service: "planner" });
  expect(planner.model.asked).toEqual([]);
  await states.note("main", { head: "a".repeat(40), hold: null, unchecked: null });
  await planner.ledger(id, (one) => one.tasks.length === 1);
  expect(planner.model.asked).toHaveLength(1);
});

test("of two planners one asks the model, also when the audits of both find the feature without a plan", async () => {
  const held: ServerResponse[] = [];
  await using planner = await startPlanner(() => (response) => held.push(response));
  await planner.another();
  const id = await planner.submit();
  await waitUntil("the question", 20_000, () => (planner.model.asked.length > 0 ? true : null));
  const queue = bullQueue(planner.connection, "plan");
  const before = new Set((await queue.getCompleted()).map((job) => job.id));
  await waitUntil("an audit of each planner", 20_000, async () => {
    await planner.send({ kind: "audit" });
    const audits = (await queue.getCompleted()).filter((job) => !before.has(job.id));
    return new Set(audits.map((job) => job.processedBy)).size === 2 ? true : null;
  });
  expect(planner.model.asked).toHaveLength(1);
  for (const response of held) answerWith(response, plan);
  await planner.ledger(id, (one) => one.tasks.length === 1);
  expect(planner.model.asked).toHaveLength(1);
});

test("the plan of a planner that was stopped beyond its lease is dropped", async () => {
  const held: ServerResponse[] = [];
  await using planner = await startPlanner((nth) =>
    nth === 0 ? (response) => held.push(response) : { tasks: [planned("b")] },
  );
  const id = await planner.submit();
  await waitUntil("the question", 20_000, () => (held.length > 0 ? true : null));
  // As long as a lease lasts, in one moment: its key is gone, and the holder does not know.
  const [lease] = await planner.connection.redis.keys("*leases:planning-*");
  await planner.connection.redis.del(lease ?? "");
  await planner.another();
  await planner.ledger(id, (one) => one.tasks.length === 1);
  for (const response of held) answerWith(response, plan);
  await planner.land(await planner.sentAs("b"));
  const ledger = await planner.ledger(id, (one) => one.tasks[0]?.status === "landed");
  expect(ledger).toMatchObject({ revisions: [{ number: 1 }], tasks: [{ task: { key: "b" } }] });
});
