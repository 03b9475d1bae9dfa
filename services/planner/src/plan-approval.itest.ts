import { expect, test } from "vitest";
import { waitUntil } from "../../../test/support/wait-until.ts";
import { planned, startPlanner } from "../testing/start-planner.ts";

const WITHIN_MS = 30_000;

test("a plan waits for an approval: refused, made again with the reason, reminded of, overdue and approved", async () => {
  const settings = { PLAN_APPROVAL_FROM_TASKS: "1", DECISION_WAIT: "1", AUDIT_INTERVAL: "600" };
  await using planner = await startPlanner(
    (nth) => ({ tasks: [planned(nth === 0 ? "wide" : "narrow")] }),
    settings,
  );
  const id = await planner.submit();
  const openPlan = async (nth: number) => {
    const { decisions } = await planner.ledger(
      id,
      (one) => one.decisions.length === nth && one.status === "held",
    );
    const decision = decisions.at(-1);
    if (decision === undefined) throw new Error("nobody is asked");
    return decision;
  };
  const answer = async (nth: number, option: string, text: string) => {
    const { id: decisionId, head } = await openPlan(nth);
    const given = { id: `a-${nth}`, by: "ada", via: "rest", role: "reviewer", option, text, head } as const;
    await planner.send({ kind: "answer", featureId: id, decisionId, answer: given });
  };
  await answer(1, "refuse", "it is too wide");
  const second = await openPlan(2);
  expect(planner.model.asked[1]).toContain("the plan was refused by ada: it is too wide");
  // No audit comes in time: the delayed messages of the planner to itself do all of it.
  await waitUntil("the time-out", WITHIN_MS, async () => {
    const events = await planner.events();
    return (
      events.some((event) => event.type === "decision.timed-out" && event.data.decision.id === second.id) ||
      null
    );
  });
  expect((await openPlan(2)).endReason).toBe("nobody answered within 1 second; it still waits");
  expect(await planner.sent()).toEqual(new Map());
  await answer(2, "approve", "");
  expect((await planner.sentAs("narrow")).round).toBe(1);
  expect([...(await planner.sent()).keys()]).toEqual(["narrow"]);
});
