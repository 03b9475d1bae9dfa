import { expect, test } from "vitest";
import { startApis } from "../../services/api/testing/start-apis.ts";
import { planned, startPlanner } from "../../services/planner/testing/start-planner.ts";

const ANSWERS = 50;
const PERSONS = { ada: "reviewer", bob: "operator", eve: "submitter" } as const;

test("a plan that was refused is made again; a late answer about it decides nothing, and of 50 about the new one, one counts (G1)", async () => {
  await using planner = await startPlanner(
    (nth) => ({ tasks: [planned(nth === 0 ? "first" : `again-${nth}`)] }),
    { PLAN_APPROVAL_FROM_TASKS: "1" },
  );
  await using apis = await startApis(planner.redis, { count: 2, persons: PERSONS });
  await planner.submit();
  const first = await apis.openPlan();
  expect(await apis.answer(first, { person: "eve", option: "approve" })).toMatchObject({ status: 403 });
  expect(await apis.answer(first, { person: "ada", option: "refuse", text: "Smaller" })).toEqual({
    status: 200,
  });
  const second = await apis.openPlan(first.id);
  expect(second.head).not.toBe(first.head);
  // What bob looked at is gone: by the old decision's id, and by the new one's id with the old head.
  expect(await apis.answer(first, { person: "bob", option: "approve" })).toMatchObject({
    status: 409,
    detail: expect.stringMatching(/^ada answered `refuse` \d+ s earlier$/),
  });
  const late = { id: second.id, head: first.head };
  expect(await apis.answer(late, { person: "bob", option: "approve" })).toMatchObject({ status: 412 });
  expect((await planner.sent()).size).toBe(0);

  const answers = await Promise.all(
    Array.from({ length: ANSWERS }, async (_, nth) => {
      const person = nth % 2 === 0 ? "ada" : "bob";
      return { person, ...(await apis.answer(second, { person, option: "approve" })) };
    }),
  );
  const [won, ...others] = answers.filter(({ status }) => status === 200);
  expect(others).toEqual([]);
  const lost = answers.filter(({ status }) => status !== 200);
  expect(lost).toHaveLength(ANSWERS - 1);
  const reason = new RegExp(`^${won?.person} answered \`approve\` \\d+ s earlier$`);
  for (const one of lost) expect(one).toMatchObject({ status: 409, detail: expect.stringMatching(reason) });
  await planner.ledger(second.featureId, ({ status }) => status === "building");
});
