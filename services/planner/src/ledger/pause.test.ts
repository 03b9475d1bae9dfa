import { expect, test } from "vitest";
import {
  absorb,
  apply,
  building,
  byKey,
  handoffOf,
  OUTCOMES,
  planned,
  statuses,
} from "../../testing/make-ledger.ts";
import { decideNext } from "./decide-next.ts";
import { summaryOf } from "./events-between.ts";
import { newLedger, type Ledger } from "./ledger.ts";
import { hasMore } from "./ledger-store.ts";
import { setPaused } from "./person-actions.ts";
import { retryFeature } from "./retry-feature.ts";

const PAUSE = { by: "ada", via: "cli", why: "an incident", at: 5 } as const;
const plan = () => building([planned("a"), planned("b", "a"), planned("c")]);
const paused = (ledger: Ledger) => apply(ledger, (now) => setPaused(now, PAUSE));
const resumed = (ledger: Ledger) => apply(ledger, (now) => setPaused(now, null));

test("nothing of a paused feature is sent, and all that waited is sent when it is resumed", () => {
  let ledger = absorb(paused(plan()), handoffOf(byKey(plan(), "a"), 1), OUTCOMES.landed);
  ledger = absorb(ledger, handoffOf(byKey(plan(), "c"), 1), OUTCOMES.rejected);
  expect(statuses(ledger)).toEqual(["a landed", "b ready", "c ready"]);
  expect(statuses(resumed(ledger))).toEqual(["a landed", "b sent", "c sent"]);
  expect(byKey(resumed(ledger), "c")).toMatchObject({ round: 2, attemptsUsed: 1 });
});

test("no plan is made and no acceptance is asked while a feature is paused", () => {
  const planning = newLedger(plan().feature, "one");
  expect(decideNext(planning).kind).toBe("plan");
  expect(decideNext(paused(planning)).kind).toBe("wait");
  const landed = absorb(building([planned("a")]), handoffOf(byKey(plan(), "a"), 1), OUTCOMES.landed);
  expect(decideNext(landed).kind).toBe("accept");
  expect(decideNext(paused(landed)).kind).toBe("wait");
});

test("a paused feature says by whom, why, and how it is resumed; a second pause changes nothing", () => {
  const ledger = paused(plan());
  const why = "waiting: paused by ada: an incident (swarm resume feature-1)";
  expect(summaryOf(ledger).reason).toBe(why);
  expect(apply(ledger, (now) => setPaused(now, { ...PAUSE, by: "bob" }))).toBe(ledger);
  expect(resumed(resumed(ledger)).paused).toBeNull();
});

test("tasks that are ready make no further step while a feature is paused", () => {
  const counts = { planned: 0, ready: 1, sent: 0, held: 0, failed: 0, blocked: 0, landed: 0, cancelled: 0 };
  const facts = { counts, due: 0 } as Parameters<typeof hasMore>[1];
  expect(hasMore(paused(plan()), facts)).toBe(false);
  expect(hasMore(plan(), facts)).toBe(true);
});

test("what has ended cannot be paused, and a retry goes on at once", () => {
  const ended: Ledger = { ...plan(), status: "failed" };
  expect(paused(ended)).toBe(ended);
  expect(apply({ ...ended, paused: PAUSE }, (now) => retryFeature(now, "ada")).paused).toBeNull();
});
