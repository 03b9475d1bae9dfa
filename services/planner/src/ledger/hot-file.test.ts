import { expect, test } from "vitest";
import { absorb, building, handoffOf, OUTCOMES, planned } from "../../testing/make-ledger.ts";
import { decideNext } from "./decide-next.ts";
import type { Ledger } from "./ledger.ts";
import type { TaskRecord } from "./task-record.ts";

const TASKS = 100;
const underWay = (ledger: Ledger): TaskRecord[] => ledger.tasks.filter((record) => record.status === "sent");

test("fault 25: of 100 tasks that edit one file each lands, itself or by one resolve, and no attempt is charged", () => {
  let ledger = building(Array.from({ length: TASKS }, (_, nth) => planned(`t${nth}`)));
  const [first, ...others] = underWay(ledger);
  if (first === undefined) throw new Error("nothing is under way");
  ledger = absorb(ledger, handoffOf(first, 1), OUTCOMES.landed);
  for (const record of others) ledger = absorb(ledger, handoffOf(record, 1), OUTCOMES.conflict);

  let resolves = 0;
  for (let [next] = underWay(ledger); next !== undefined; [next] = underWay(ledger)) {
    // Side by side all but one of them would conflict again.
    expect(underWay(ledger)).toHaveLength(1);
    expect(next.task.kind).toBe("resolve");
    ledger = absorb(ledger, handoffOf(next, 1), OUTCOMES.landed);
    resolves += 1;
  }
  expect(resolves).toBe(TASKS - 1);
  expect(ledger.tasks).toHaveLength(TASKS + resolves);
  expect(ledger.tasks.filter((record) => record.status === "landed")).toHaveLength(TASKS);
  expect(ledger.tasks.reduce((sum, record) => sum + record.attemptsUsed, 0)).toBe(0);
  expect(decideNext(ledger).kind).toBe("accept");
});
