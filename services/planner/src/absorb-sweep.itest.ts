import { beforeAll, expect, test } from "vitest";
import { DEFAULT_REPO, Fault, TRUNK_HEALTH, trunkHealthId, type Sweep } from "@agentswarm/contracts";
import { type QueueConnection } from "@agentswarm/queue";
import { openTestConnection } from "../../../test/support/test-connection.ts";
import { byKey, DEFAULTS, feature, handoffOf, OUTCOMES, planned, tree } from "../testing/make-ledger.ts";
import { openContext, type OpenContext } from "../testing/open-context.ts";
import { readWhole } from "../testing/read-whole.ts";
import { absorbSweep } from "./absorb-sweep.ts";
import { advance } from "./advance.ts";
import { step } from "./carry-out.ts";
import { absorbHandoff } from "./ledger/absorb-handoff.ts";
import { adoptPlan } from "./ledger/adopt-plan.ts";
import { newLedger } from "./ledger/ledger.ts";

let connection: QueueConnection;
beforeAll(async () => {
  connection = await openTestConnection();
  return () => connection[Symbol.asyncDispose]();
});

/** A trunk of four commits, the oldest first, which a test may rewind. */
function openTrunk() {
  const commits = ["a", "b", "c", "d"].map((letter) => letter.repeat(40));
  const trunk = {
    commits,
    green: null as string | null,
    /** A commit whose history git cannot read. */
    broken: null as string | null,
  };
  const hasAll = async (commit: string, wanted: readonly string[]) => {
    if (wanted.some((one) => one === trunk.broken)) throw new Fault("git.failed", "a broken object");
    return wanted.every((one) => commits.includes(one) && commits.indexOf(one) <= commits.indexOf(commit));
  };
  const mirror = {
    trunk: "main",
    fetch: async () => undefined,
    head: async () => commits.at(-1) ?? "",
    green: async () => trunk.green,
    hasAll,
  };
  return { trunk, mirror };
}
const [first = "", second = "", landing = "", newest = ""] = openTrunk().trunk.commits;

function sweepOf(
  outcome: Sweep["outcome"],
  head: string,
  signatures: readonly string[] = [],
  repoId: string = DEFAULT_REPO,
): Sweep {
  return {
    why: "nudge",
    repoId,
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

/** A feature that waits for green since its one task has landed by this commit. */
async function verifying(
  { ctx }: OpenContext,
  commit: string = landing,
  repoId: string = DEFAULT_REPO,
): Promise<string> {
  features += 1;
  const own = { ...feature, id: `feature-${features}`, repoId };
  await step(ctx, own.id, () => newLedger(own, "one"));
  const ledger = await step(ctx, own.id, (now) => now && adoptPlan(now, [planned("a")], DEFAULTS));
  if (ledger === null) throw new Error("there is no ledger");
  const handoff = handoffOf(byKey(ledger, "a"), 1);
  const outcome = { ...OUTCOMES.landed, commit };
  await step(ctx, own.id, (now) => now && { ...absorbHandoff(now, handoff, outcome), status: "verifying" });
  return own.id;
}

test("a green without the feature's landings does not end it; one with them does", async () => {
  await using open = openContext(connection, openTrunk().mirror);
  const id = await verifying(open);
  await absorbSweep(open.ctx, sweepOf("green", second), "early");
  expect(await readWhole(connection, id)).toMatchObject({ status: "verifying" });
  await absorbSweep(open.ctx, sweepOf("green", landing), "late");
  expect(await readWhole(connection, id)).toMatchObject({ status: "done" });
});

test("red sweeps do not count while a fix is under way", async () => {
  await using open = openContext(connection, openTrunk().mirror);
  const id = await verifying(open);
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

test("a red sweep of a commit that is behind green, or that the trunk has lost, books nothing", async () => {
  const { trunk, mirror } = openTrunk();
  const red = (head: string) => sweepOf("red", head, ["test-1"], "late");
  await using open = openContext(connection, mirror);
  trunk.green = landing;
  await absorbSweep(open.ctx, red(second), "behind");
  trunk.commits.splice(2);
  await absorbSweep(open.ctx, red(newest), "lost");
  expect(await readWhole(connection, trunkHealthId("late"))).toBeUndefined();
  // The green that the trunk has lost says nothing about what the trunk has now.
  await absorbSweep(open.ctx, red(second), "now");
  expect((await readWhole(connection, trunkHealthId("late")))?.tasks).toHaveLength(1);
});

test("a fix that is held shows trunk health as held, and the features that wait for green do not wait for it", async () => {
  await using open = openContext(connection, openTrunk().mirror);
  const { ctx } = open;
  const health = trunkHealthId("held");
  const id = await verifying(open, landing, "held");
  const sweep = sweepOf("red", newest, ["test-1"], "held");
  await absorbSweep(ctx, sweep, "booked");
  const booked = await readWhole(connection, health);
  if (booked === undefined) throw new Error("there is no fix");
  const handoff = handoffOf(byKey(booked, "fix-it"), 1);
  await step(ctx, health, (now) => now && absorbHandoff(now, handoff, OUTCOMES.held));
  await advance(ctx, health);
  expect(await readWhole(connection, health)).toMatchObject({ status: "held", reason: "fix-it: swarm.json" });
  for (const sweepId of ["one", "two", "three"]) await absorbSweep(ctx, sweep, sweepId);
  expect(await readWhole(connection, id)).toMatchObject({
    status: "failed",
    redSweeps: ["one", "two", "three"],
    reason: expect.stringContaining(`swarm status ${health}`),
  });
});

test("a force-pushed trunk fails the features whose landings it lost, and the others end as before", async () => {
  const { trunk, mirror } = openTrunk();
  await using open = openContext(connection, mirror);
  const [kept, lost] = [await verifying(open, second, "pushed"), await verifying(open, landing, "pushed")];
  const green = (head: string) => sweepOf("green", head, [], "pushed");
  trunk.commits.splice(2);
  await absorbSweep(open.ctx, green(newest), "of-the-lost");
  const failed = await readWhole(connection, lost);
  expect(failed).toMatchObject({ status: "failed", tasks: [{ status: "failed", commit: null }] });
  expect(failed?.reason).toContain(`its landing ${landing.slice(0, 12)} is not on the trunk any more`);
  const said = open.lines.map((line) => line.msg);
  expect(said).toContain("the trunk lost landings of a feature");
  expect(said).toContainEqual(expect.stringContaining("green is not on the trunk"));
  expect(await readWhole(connection, kept)).toMatchObject({ status: "verifying", redSweeps: [] });
  await absorbSweep(open.ctx, green(second), "of-the-rest");
  expect(await readWhole(connection, kept)).toMatchObject({ status: "done" });
});

test("what is wrong with one feature does not keep the others from ending", async () => {
  const { trunk, mirror } = openTrunk();
  await using open = openContext(connection, mirror);
  const before = await verifying(open, first, "broken");
  const broken = await verifying(open, landing, "broken");
  const after = await verifying(open, second, "broken");
  trunk.broken = landing;
  await absorbSweep(open.ctx, sweepOf("green", newest, [], "broken"), "one");
  for (const id of [before, after]) expect(await readWhole(connection, id)).toMatchObject({ status: "done" });
  expect(await readWhole(connection, broken)).toMatchObject({ status: "verifying" });
  expect(open.lines).toContainEqual(
    expect.objectContaining({
      featureId: broken,
      msg: "a sweep could not be absorbed for a feature",
    }),
  );
});
