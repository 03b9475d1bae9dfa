import { expect, test } from "vitest";
import type { TaskKind } from "@agentswarm/contracts";
import { makeForecast, type TaskCost } from "./forecast.ts";

const NOTHING = { costUsd: 0, tokens: 0 };
const state = (cap: { usd?: number; tokens?: number } = {}, spent = NOTHING) => ({
  cap,
  spent,
  reserved: NOTHING,
  usedUp: null,
});
const budgets = (swarm = state(), feature = state()) => ({ swarm, feature });
const cost = (kind: TaskKind, costUsd: number): TaskCost => ({ kind, costUsd, tokens: costUsd * 1_000 });

test("there is no forecast without history", () => {
  expect(makeForecast(["build"], [], budgets())).toBeNull();
});

test("a task is expected to cost the median of its kind", () => {
  const history = [cost("build", 1), cost("build", 2), cost("build", 90), cost("fix", 7)];
  expect(makeForecast(["build", "build", "build"], history, budgets())).toEqual({
    usd: 6,
    tokens: 6_000,
    tasks: 3,
    basedOn: 3,
    warning: null,
  });
  expect(makeForecast(["fix"], history, budgets())).toMatchObject({ usd: 7, basedOn: 1 });
  // Of an even number the middle between the two: 1, 2, 7, 90.
  expect(makeForecast(["resolve"], history, budgets())).toMatchObject({ usd: 4.5, basedOn: 4 });
});

test("a forecast above the rest of a budget has a warning that names the budget", () => {
  const history = [cost("build", 2)];
  const spent = { costUsd: 3.5, tokens: 100 };
  const of = (swarm = state(), feature = state()) =>
    makeForecast(["build"], history, budgets(swarm, feature))?.warning;
  expect(of(state(), state({ usd: 5 }, spent))).toBe(
    "2 USD are expected, but the feature's budget has 1.5 left",
  );
  expect(of(state({ usd: 5 }, spent))).toBe("2 USD are expected, but the swarm's budget has 1.5 left");
  expect(of(state({ tokens: 2_099 }, spent))).toBe(
    "2000 tokens are expected, but the swarm's budget has 1999 left",
  );
  expect(of(state({ usd: 5.5, tokens: 2_100 }, spent))).toBeNull();
});
