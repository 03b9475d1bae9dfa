import { expect, test } from "vitest";
import { DEFAULT_REPO, trunkHealthId, type ReviewSettings, type Task } from "@agentswarm/contracts";
import {
  applyAt,
  building,
  byKey,
  DEFAULTS,
  feature,
  handoffOf,
  OUTCOMES,
  planned,
  statuses,
} from "../../../testing/make-ledger.ts";
import { absorbHandoff } from "../absorb-handoff.ts";
import { adoptPlan } from "../adopt-plan.ts";
import { decideHeld } from "../decisions/held-landing.ts";
import { summaryOf } from "../events-between.ts";
import { newLedger, withRecord, type Ledger } from "../ledger.ts";
import { cancelFeature } from "../person-actions.ts";
import { willAsk, type ReviewRoom } from "./review-room.ts";

const WHY = "OPEN_REVIEWS=2 landings wait";
const room = (left: number, rules: ReviewSettings | "all" = "all"): ReviewRoom => ({
  left,
  turn: "",
  why: WHY,
  rules: new Map([[DEFAULT_REPO, rules]]),
});
const policy = (more: Partial<ReviewSettings>): ReviewSettings => ({ paths: [], kinds: [], ...more });
const look = (ledger: Ledger, reviews: ReviewRoom | null) => applyAt(ledger, 1, (now) => now, { reviews });
/** The ledger of a plan that was made while there was so much room. */
const begin = (reviews: ReviewRoom, keys = ["a", "b", "c"]) =>
  applyAt(
    newLedger(feature, "one"),
    1,
    (ledger) =>
      adoptPlan(
        ledger,
        keys.map((key) => planned(key)),
        DEFAULTS,
      ),
    { reviews },
  );

test("only as many tasks are sent as people have room to look at; the others say why they wait", () => {
  const ledger = begin(room(2));
  expect(statuses(ledger)).toEqual(["a sent", "b sent", "c ready"]);
  expect(summaryOf(ledger).reason).toBe(`waiting: ${WHY}`);
  const full = look(ledger, room(0));
  expect(full).toBe(ledger);
  const freed = look(ledger, room(1));
  expect(statuses(freed)).toEqual(["a sent", "b sent", "c sent"]);
  expect(summaryOf(freed).reason).toBeNull();
});

test("without a bound everything is sent, also what waited for one", () => {
  const ledger = look(begin(room(0)), null);
  expect(statuses(ledger)).toEqual(["a sent", "b sent", "c sent"]);
  expect(ledger.outOfReviews).toBeNull();
});

test("an approved attempt lands and a refused one is run again while there is no room", () => {
  const taskId = byKey(building(), "a").task.id;
  const held = applyAt(begin(room(1), ["a"]), 1, (now) =>
    absorbHandoff(now, handoffOf(byKey(now, "a"), 1), OUTCOMES.held),
  );
  for (const decision of ["approve", "refuse"] as const) {
    const about = { kind: "approve", taskId, decision, by: "ada", via: "rest" } as const;
    const answered = applyAt(held, 2, (now, facts) => decideHeld(now, about, facts), { reviews: room(0) });
    expect(statuses(answered)).toEqual(["a sent"]);
  }
});

test("a cancelled feature waits for no reviews", () => {
  const ended = applyAt(begin(room(1)), 2, (now) => cancelFeature(now, "ada", 2), { reviews: room(0) });
  expect([ended.outOfReviews, summaryOf(ended).reason]).toEqual([null, "cancelled by ada"]);
});

test("by policy only the tasks wait whose kind or scope people look at", () => {
  const rules = policy({ paths: ["src/auth/**"], kinds: ["fix"], lines: 10 });
  const { task } = byKey(building(), "a");
  const asks = (more: Partial<Task>) => willAsk(room(0, rules), { ...task, ...more });
  expect(asks({ scope: ["src/auth/login.ts"] })).toBe(true);
  expect(asks({ scope: ["docs/**"] })).toBe(false);
  expect(asks({ scope: ["docs/**"], kind: "fix" })).toBe(true);
  // Without a scope it may change anything.
  expect(asks({ scope: [] })).toBe(true);
  expect(asks({ repoId: "other" })).toBe(true);
  expect(willAsk(room(0, policy({ lines: 10, files: 2 })), task)).toBe(false);
});

test("fixes of a red trunk and reverts never wait", () => {
  const { task } = byKey(building(), "a");
  expect(willAsk(room(0), { ...task, kind: "revert" })).toBe(false);
  expect(willAsk(room(0), { ...task, featureId: trunkHealthId(DEFAULT_REPO) })).toBe(false);
});

test("a task that waits for reviews is cancelled and blocked as any other", () => {
  const ledger = begin(room(0), ["a"]);
  const { id } = byKey(ledger, "a").task;
  const gone = applyAt(ledger, 2, (now) => withRecord(now, id, { status: "cancelled" }), {
    reviews: room(0),
  });
  expect(gone.outOfReviews).toBeNull();
});
