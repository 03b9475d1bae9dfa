import { afterAll, beforeAll, expect, test } from "vitest";
import { DEFAULT_REPO, TRUNK_HEALTH, type Sweep } from "@agentswarm/contracts";
import { openQueue, type QueueConnection } from "@agentswarm/queue";
import { startRedis, type TestRedis } from "../../../test/support/redis.ts";
import { byKey, DEFAULTS, feature, handoffOf, OUTCOMES, planned, tree } from "../testing/make-ledger.ts";
import { openContext } from "../testing/open-context.ts";
import { readWhole } from "../testing/read-whole.ts";
import { absorbSweep } from "./absorb-sweep.ts";
import { step } from "./carry-out.ts";
import { absorbHandoff } from "./ledger/absorb-handoff.ts";
import { adoptPlan } from "./ledger/adopt-plan.ts";
import { newLedger } from "./ledger/ledger.ts";

let redis: TestRedis;
let connection: QueueConnection;
beforeAll(async () => {
  redis = await startRedis();
  connection = await openQueue({ redisUrl: redis.url, prefix: redis.prefix, service: "test" });
});
afterAll(async () => {
  await connection[Symbol.asyncDispose]();
  await redis.stop();
});

/** A trunk of four commits, the oldest first. */
const TRUNK = ["a", "b", "c", "d"].map((letter) => letter.repeat(40));
const [, , landing = "", newest = ""] = TRUNK;
const mirror = {
  trunk: "main",
  fetch: async () => undefined,
  head: async () => newest,
  green: async () => null,
  hasAll: async (commit: string, commits: readonly string[]) =>
    commits.every((one) => TRUNK.includes(one) && TRUNK.indexOf(one) <= TRUNK.indexOf(commit)),
};

function sweepOf(outcome: Sweep["outcome"], head: string, signatures: readonly string[] = []): Sweep {
  return {
    why: "nudge",
    repoId: DEFAULT_REPO,
    head,
    tree,
    outcome,
    checksHash: "h",
    checks: [],
    failures: [],
    green: outcome === "green" ? head : null,
    drafts: signatures.map((signature) => ({ signature, title: "Fix it", description: "", scope: [] })),
  };
}

let features = 0;

/** A feature that waits for green since its one task has landed by the third commit. */
async function verifying(ctx: Parameters<typeof step>[0]): Promise<string> {
  features += 1;
  const own = { ...feature, id: `feature-${features}` };
  await step(ctx, own.id, () => newLedger(own, "one"));
  const ledger = await step(ctx, own.id, (now) => now && adoptPlan(now, [planned("a")], DEFAULTS));
  if (ledger === null) throw new Error("there is no ledger");
  const handoff = handoffOf(byKey(ledger, "a"), 1);
  const outcome = { ...OUTCOMES.landed, commit: landing };
  await step(ctx, own.id, (now) => now && { ...absorbHandoff(now, handoff, outcome), status: "verifying" });
  return own.id;
}

test("a green without the feature's landings does not end it; one with them does", async () => {
  await using open = openContext(connection, mirror);
  const id = await verifying(open.ctx);
  await absorbSweep(open.ctx, sweepOf("green", TRUNK[1] ?? ""), "early");
  expect(await readWhole(connection, id)).toMatchObject({ status: "verifying" });
  await absorbSweep(open.ctx, sweepOf("green", landing), "late");
  expect(await readWhole(connection, id)).toMatchObject({ status: "done" });
});

test("red sweeps do not count while a fix is under way", async () => {
  await using open = openContext(connection, mirror);
  const id = await verifying(open.ctx);
  for (const sweepId of ["one", "two", "three"])
    await absorbSweep(open.ctx, sweepOf("red", newest, ["test-1"]), sweepId);
  expect(await readWhole(connection, id)).toMatchObject({ status: "verifying", redSweeps: [] });
  expect((await readWhole(connection, TRUNK_HEALTH))?.tasks).toMatchObject([
    { signature: "test-1", status: "sent" },
  ]);
  // Without a draft nobody repairs the trunk; the fix that is open is of another failure, and under way all the same.
  await absorbSweep(open.ctx, sweepOf("red", newest), "four");
  expect(await readWhole(connection, id)).toMatchObject({ redSweeps: [] });
});
