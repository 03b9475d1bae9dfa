import { expect, test } from "vitest";
import { building, byKey, planned, statuses } from "../../testing/make-ledger.ts";
import { withRecord, type Ledger } from "./ledger.ts";
import { settle } from "./settle.ts";

const chain = () => building([planned("a"), planned("b", "a"), planned("c", "b"), planned("d")]);
const put = (ledger: Ledger, key: string, change: Parameters<typeof withRecord>[2]) =>
  withRecord(ledger, byKey(ledger, key).task.id, change);

test("only tasks without dependencies are sent at first", () => {
  const ledger = chain();
  expect(statuses(ledger)).toEqual(["a sent", "b planned", "c planned", "d sent"]);
  expect(ledger.tasks.map((record) => record.round)).toEqual([1, 0, 0, 1]);
});

test("a landing releases only the tasks that depend on it", () => {
  const ledger = settle(put(chain(), "a", { status: "landed" }));
  expect(statuses(ledger)).toEqual(["a landed", "b sent", "c planned", "d sent"]);
});

test("a failed task blocks its direct and indirect dependents with the reason", () => {
  const ledger = settle(put(chain(), "a", { status: "failed" }));
  expect(statuses(ledger)).toEqual(["a failed", "b blocked", "c blocked", "d sent"]);
  expect(byKey(ledger, "c").reason).toBe("it depends on b, which cannot land");
});

test("blocked tasks are planned again when the failed task is reopened", () => {
  const dead = settle(put(chain(), "a", { status: "failed" }));
  const opened = settle(put(dead, "a", { status: "sent" }));
  expect(statuses(opened)).toEqual(["a sent", "b planned", "c planned", "d sent"]);
  expect(byKey(opened, "c").reason).toBeNull();
});

test("a landing of the superseding task counts for the superseded one", () => {
  const ledger = chain();
  const superseded = put(ledger, "a", { status: "cancelled", supersededBy: byKey(ledger, "d").task.id });
  expect(byKey(settle(superseded), "b").status).toBe("planned");
  expect(byKey(settle(put(superseded, "d", { status: "landed" })), "b").status).toBe("sent");
  expect(byKey(settle(put(superseded, "d", { status: "failed" })), "b").status).toBe("blocked");
});

test("a dependency that does not exist blocks", () => {
  expect(byKey(building([planned("a", "gone")]), "a")).toMatchObject({
    status: "blocked",
    reason: "it depends on a task that does not exist, which cannot land",
  });
});

test.each(["planning", "verifying", "done", "failed"] as const)(
  "nothing is sent while a feature is %s",
  (status) => {
    const ledger: Ledger = { ...put(chain(), "a", { status: "landed" }), status };
    expect(settle(ledger)).toBe(ledger);
  },
);

test("the tasks of a cancelled feature that are not settled are cancelled with its reason", () => {
  const ledger: Ledger = {
    ...put(chain(), "a", { status: "landed" }),
    status: "cancelled",
    reason: "by ada",
  };
  const after = settle(ledger);
  expect(statuses(after)).toEqual(["a landed", "b cancelled", "c cancelled", "d cancelled"]);
  expect(byKey(after, "b").reason).toBe("by ada");
});

test("a feature is held only while one of its tasks is", () => {
  const held: Ledger = { ...put(chain(), "a", { status: "held" }), status: "held", reason: "a: swarm.json" };
  expect(settle(held).status).toBe("held");
  const after = settle(put(held, "a", { status: "landed" }));
  expect(after).toMatchObject({ status: "building", reason: null });
  expect(byKey(after, "b").status).toBe("sent");
});

test("settling a settled ledger changes nothing", () => {
  const ledger = settle(put(chain(), "a", { status: "failed" }));
  expect(settle(ledger)).toEqual(ledger);
});
