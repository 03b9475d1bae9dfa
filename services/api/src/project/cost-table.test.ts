import { expect, test } from "vitest";
import { addCost, entriesOf, sumUp, type CostTable } from "./cost-table.ts";

const used = (role: string, backend: string) => ({ role, backend, tokensIn: 2, tokensOut: 3, costUsd: 1 });

test("a call whose backend is unknown counts under that name", () => {
  const { backend: _, ...call } = used("work", "");
  expect(entriesOf(addCost({}, call))).toEqual([["work", "unknown", { usd: 1, tokens: 5 }]]);
});

test("a table stays small for any number of names, and its sum stays exact", () => {
  let table: CostTable = {};
  for (let nth = 0; nth < 200; nth += 1) table = addCost(table, used(`role-${nth % 50}`, `backend-${nth}`));
  expect(Object.keys(table)).toHaveLength(33);
  expect(sumUp(table)).toMatchObject({ usd: 200, tokens: 1_000 });
  expect(entriesOf(table).length).toBeLessThanOrEqual(33 * 33);
  const odd = addCost({}, used("__proto__", "a b\n"));
  expect(entriesOf(odd)).toEqual([["other", "other", { usd: 1, tokens: 5 }]]);
  const inherited = sumUp(addCost({}, used("constructor", "toString")));
  expect(inherited).toMatchObject({
    usd: 1,
    byRole: { other: { usd: 1 } },
    byBackend: { other: { usd: 1 } },
  });
});
