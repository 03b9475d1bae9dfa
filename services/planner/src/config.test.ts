import { expect, test } from "vitest";
import { decisionRules, settings, type Settings } from "./config.ts";

const rules = (set: Record<string, string>) => {
  const given = settings.partial().parse(set) as Settings;
  return decisionRules(given);
};

test("by default people are asked without four eyes, plans wait for nobody, and what is held waits on", () => {
  expect(rules({})).toEqual({
    waitMs: 259_200_000,
    onTimeout: "hold",
    approvals: 1,
    fourEyes: false,
    planFromTasks: 0,
    budgets: true,
  });
});

test("settings say how people are asked", () => {
  const set = {
    FOUR_EYES: "on",
    REVIEW_APPROVALS: "2",
    PLAN_APPROVAL_FROM_TASKS: "1",
    DECIDE_BUDGETS: "off",
  };
  expect(rules({ ...set, DECISION_WAIT: "60", DECISION_TIMEOUT: "refuse" })).toEqual({
    waitMs: 60_000,
    onTimeout: "refuse",
    approvals: 2,
    fourEyes: true,
    planFromTasks: 1,
    budgets: false,
  });
  expect(rules({ DECISION_WAIT: "0" }).waitMs).toBeNull();
});
