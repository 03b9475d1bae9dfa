import { beforeAll, expect, test } from "vitest";
import { DEFAULT_REPO, Fault, type LandingMode } from "@agentswarm/contracts";
import type { Mirror } from "@agentswarm/git";
import type { QueueConnection } from "@agentswarm/queue";
import { openTestConnection } from "../../../test/support/test-connection.ts";
import { openTestLedgers } from "../testing/ledgers.ts";
import { DEFAULTS, feature, handoffOf, OUTCOMES, planned } from "../testing/make-ledger.ts";
import { readWhole } from "../testing/read-whole.ts";
import { absorbHandoff } from "./ledger/absorb-handoff.ts";
import { adoptPlan } from "./ledger/adopt-plan.ts";
import { decideHeld } from "./ledger/decisions/held-landing.ts";
import { newLedger } from "./ledger/ledger.ts";
import { openReviewRoom } from "./read-review-room.ts";

let connection: QueueConnection;
beforeAll(async () => {
  connection = await openTestConnection();
  return () => connection[Symbol.asyncDispose]();
});

/** A repository with this swarm.json on its trunk; null: reading it fails. */
const repoWith = (review: object | null) => {
  const readFile = async (_commit: string, path: string) => {
    if (review === null) throw new Fault("git.failed", "no such repository");
    return path === "swarm.json" ? JSON.stringify({ checks: { gate: [] }, review }) : null;
  };
  return {
    repoId: DEFAULT_REPO,
    mirror: { head: async () => "a".repeat(40), readFile } as unknown as Mirror,
  };
};
const openRoom = (landing: LandingMode, most: number, review: object | null = {}) =>
  openReviewRoom({ connection, landing, most, repos: [repoWith(review)] });

test("there is a bound only where landings wait for people", async () => {
  expect(await openRoom("trunk", 20)()).toBeNull();
  expect(await openRoom("hold", 0)()).toBeNull();
  expect(await openRoom("hold", 20)()).toMatchObject({ left: 20, rules: new Map([[DEFAULT_REPO, "all"]]) });
});

test("the rules of a policy are those of the trunk; where they cannot be read, people look at everything", async () => {
  const rulesOf = async (review: object | null) =>
    (await openRoom("policy", 20, review)())?.rules.get(DEFAULT_REPO);
  expect(await rulesOf({ paths: ["src/auth/**"] })).toEqual({ paths: ["src/auth/**"], kinds: [] });
  expect(await rulesOf(null)).toBe("all");
  expect(await rulesOf({ paths: 1 })).toBe("all");
});

test("over all features no more landings wait for people, or go there, than OPEN_REVIEWS", async () => {
  const most = 3;
  const readRoom = openRoom("hold", most);
  const ledgers = openTestLedgers(connection);
  ledgers.reviews = readRoom;
  const ids = ["room-1", "room-2"];
  for (const id of ids) {
    await ledgers.step(id, () => newLedger({ ...feature, id }, "one"));
    await ledgers.step(
      id,
      (now) =>
        now &&
        adoptPlan(
          now,
          ["a", "b", "c", "d"].map((key) => planned(key)),
          DEFAULTS,
        ),
    );
  }
  const tasks = async () => {
    const found = await Promise.all(ids.map((id) => readWhole(connection, id)));
    return found.flatMap((ledger) => ledger?.tasks ?? []);
  };
  const waitOrGo = async () =>
    (await tasks()).filter(
      ({ status, approvedBy }) => (status === "sent" && approvedBy === null) || status === "held",
    );
  expect(await waitOrGo()).toHaveLength(most);

  // Each round one landing is held and approved, and lands; the audit looks at the features.
  for (let landed = 0; landed < 8; landed += 1) {
    const next = (await waitOrGo())[0];
    if (next === undefined) throw new Error("nothing goes on");
    const { id, featureId } = next.task;
    const handoff = handoffOf(next, 1);
    await ledgers.step(featureId, (now) => now && absorbHandoff(now, handoff, OUTCOMES.held), [id]);
    expect((await readRoom())?.left).toBe(most - (await waitOrGo()).length);
    const approval = { kind: "approve", taskId: id, decision: "approve", by: "ada", via: "rest" } as const;
    await ledgers.step(featureId, (now, facts) => now && decideHeld(now, approval, facts), [id]);
    const approved = { ...handoff, round: 2 };
    await ledgers.step(featureId, (now) => now && absorbHandoff(now, approved, OUTCOMES.landed), [id]);
    for (const one of ids) await ledgers.step(one, (now) => now);
    expect(await waitOrGo()).toHaveLength(Math.min(most, 7 - landed));
  }
  expect((await tasks()).every(({ status }) => status === "landed")).toBe(true);
  expect((await readRoom())?.left).toBe(most);
});

test("plans of many features at the same moment share the room", async () => {
  const most = 5;
  const readRoom = openRoom("hold", most);
  const ledgers = openTestLedgers(connection);
  ledgers.reviews = readRoom;
  const ids = Array.from({ length: 10 }, (_, nth) => `at-once-${nth}`);
  await Promise.all(ids.map((id) => ledgers.step(id, () => newLedger({ ...feature, id }, "one"))));
  const plan = ["a", "b", "c"].map((key) => planned(key));
  await Promise.all(ids.map((id) => ledgers.step(id, (now) => now && adoptPlan(now, plan, DEFAULTS))));
  const found = await Promise.all(ids.map((id) => readWhole(connection, id)));
  const tasks = found.flatMap((ledger) => ledger?.tasks ?? []);
  expect(tasks.filter(({ status }) => status === "sent")).toHaveLength(most);
  expect((await readRoom())?.left).toBe(0);
});
