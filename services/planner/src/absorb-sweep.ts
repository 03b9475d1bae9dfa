import { asFault, Fault, trunkHealthId, type Sweep } from "@agentswarm/contracts";
import type { Mirror } from "@agentswarm/git";
import { advance } from "./advance.ts";
import { step } from "./carry-out.ts";
import type { PlannerContext } from "./context.ts";
import { bookFixes, type FixFacts } from "./ledger/book-fixes.ts";
import { absorbVerdict, decideVerifying } from "./ledger/decide-verifying.ts";
import { countOf, landingsOf, tasksOfSignature } from "./ledger/find-tasks.ts";
import { newLedger, type Ledger } from "./ledger/ledger.ts";
import { OPEN } from "./ledger/task-record.ts";
import { readOpen } from "./read-open.ts";

/** The commits that a sweep is about, as far as the trunk has them now. */
interface SweptTrunk {
  readonly mirror: Mirror;
  /** The trunk's newest commit. */
  readonly head: string;
  /** The commit that was swept; null: the trunk does not have it any more. */
  readonly swept: string | null;
  /** The newest green commit that the sweep knew; null: there is none, or the trunk does not have it any more. */
  readonly green: string | null;
}

/**
 * Absorbs one sweep. A green sweep finishes the features whose landings it covers. A red sweep books fix tasks; it counts
 * against the features that wait for green only while no fix task is under way. A sweep that could not run, as with a
 * swarm.json that is broken, makes them wait with its reason. A feature whose landings the trunk has lost fails.
 * `sweepId` makes a redelivered sweep count once. An error of one feature does not keep the others from being decided.
 */
export async function absorbSweep(ctx: PlannerContext, sweep: Sweep, sweepId: string): Promise<void> {
  // The ledgers are read before the trunk, so that a landing in a ledger which the trunk lacks is lost and not just new.
  const faults: Fault[] = [];
  const report = (featureId: string, error: unknown) => {
    const fault = asFault(error);
    faults.push(fault);
    ctx.log.error({ featureId, err: fault }, "a sweep could not be absorbed for a feature");
  };
  const open = await readVerifying(ctx, sweep.repoId, report);
  const trunk = await readTrunk(ctx, sweep);
  if (sweep.outcome === "red" && (await isOutdated(trunk))) return;
  const fixOpen = sweep.outcome === "red" && (await bookAll(ctx, sweep, trunk));
  for (const feature of open) {
    try {
      await showReason(ctx, feature.id, sweep);
      await verify(ctx, feature, trunk, { outcome: sweep.outcome, fixOpen, sweepId });
    } catch (error) {
      report(feature.id, error);
    }
  }
  const retryable = faults.find((fault) => fault.retryable);
  if (retryable !== undefined) throw retryable;
}

/** A feature that waits for green. */
interface Verifying {
  readonly id: string;
  readonly landings: ReadonlyMap<string, string>;
}

async function readVerifying(
  ctx: PlannerContext,
  repoId: string,
  onError: (featureId: string, error: unknown) => void,
): Promise<Verifying[]> {
  const found: Verifying[] = [];
  for (const { feature, status } of await readOpen(ctx)) {
    const { id } = feature;
    if (status !== "verifying" || feature.repoId !== repoId) continue;
    try {
      const landings = await ctx.ledgers.read(id, (now) => now && landingsOf(now));
      if (landings !== null) found.push({ id, landings });
    } catch (error) {
      onError(id, error);
    }
  }
  return found;
}

/** Shows why a feature waits while the trunk cannot be swept. */
async function showReason(ctx: PlannerContext, featureId: string, sweep: Sweep): Promise<void> {
  const subject = { repoId: sweep.repoId, featureId };
  if (sweep.outcome !== "error") return ctx.waiting.clear(subject);
  const why = `the checks of the trunk cannot be read: ${sweep.reason ?? "unknown"}`;
  await ctx.waiting.note(subject, new Fault("target.invalid", why));
}

async function readTrunk(ctx: PlannerContext, sweep: Sweep): Promise<SweptTrunk> {
  const { mirror } = ctx.repo(sweep.repoId);
  await mirror.fetch();
  const head = await mirror.head();
  const onTrunk = async (commit: string | null) =>
    commit !== null && (await mirror.hasAll(head, [commit])) ? commit : null;
  const green = await onTrunk(sweep.green);
  if (sweep.green !== null && green === null)
    ctx.log.error(
      { green: sweep.green, head, trunk: mirror.trunk },
      "green is not on the trunk: the trunk was force-pushed or rewound; no feature ends by this green",
    );
  return { mirror, head, swept: await onTrunk(sweep.head), green };
}

async function verify(
  ctx: PlannerContext,
  { id, landings }: Verifying,
  trunk: SweptTrunk,
  about: { readonly outcome: Sweep["outcome"]; readonly fixOpen: boolean; readonly sweepId: string },
): Promise<void> {
  const { outcome, fixOpen, sweepId } = about;
  const { mirror, head, green, swept } = trunk;
  const commits = [...landings.values()];
  const inGreen = green !== null && (await mirror.hasAll(green, commits));
  const decision = decideVerifying({
    outcome,
    inGreen,
    inSwept: swept !== null && (await mirror.hasAll(swept, commits)),
    lost: inGreen ? [] : await findLost(mirror, landings, head),
    fixOpen,
  });
  if (decision.kind === "wait") return;
  const at = await ctx.connection.now();
  const newest = await step(ctx, id, (now) => now && absorbVerdict(now, landings, decision, { sweepId, at }));
  if (decision.kind === "lost")
    ctx.log.error({ featureId: id, head, reason: newest?.reason }, "the trunk lost landings of a feature");
  await advance(ctx, id);
}

/** The tasks of a feature whose landing is not in the trunk's history. */
async function findLost(
  mirror: Mirror,
  landings: ReadonlyMap<string, string>,
  head: string,
): Promise<string[]> {
  if (await mirror.hasAll(head, [...landings.values()])) return [];
  const lost: string[] = [];
  for (const [taskId, commit] of landings) if (!(await mirror.hasAll(head, [commit]))) lost.push(taskId);
  return lost;
}

/** Whether the trunk has moved on from the red commit: to a newer green one, or by a force-push to another history. */
async function isOutdated({ mirror, head, swept }: SweptTrunk): Promise<boolean> {
  if (swept === null) return true;
  const green = await mirror.green();
  return green !== null && (await mirror.hasAll(head, [green])) && mirror.hasAll(green, [swept]);
}

/** Books fix tasks for a red trunk. Returns whether a fix is under way, or on the trunk but not in the swept commit yet. */
async function bookAll(ctx: PlannerContext, sweep: Sweep, trunk: SweptTrunk): Promise<boolean> {
  const createdAt = await ctx.connection.now();
  const facts = await readFixes(ctx, sweep, trunk);
  const health = await step(ctx, trunkHealthId(sweep.repoId), (ledger) =>
    bookFixes(ledger ?? standingFeature(sweep.repoId, createdAt), sweep, facts, ctx.defaults),
  );
  // A fix that is held waits for a person, which may take days: the features that wait for green do not wait for it.
  const underWay = health !== null && countOf(health, OPEN) > 0;
  return underWay || facts.fixed.size > 0;
}

/** What the trunk says about the landed fixes of the failures that the sweep found. */
async function readFixes(ctx: PlannerContext, sweep: Sweep, trunk: SweptTrunk): Promise<FixFacts> {
  const { mirror, head, green, swept } = trunk;
  const [fixed, worked] = [new Set<string>(), new Set<string>()];
  const signatures = new Set(sweep.drafts.map((draft) => draft.signature));
  const fixes = await ctx.ledgers.read(trunkHealthId(sweep.repoId), (health) =>
    health === null ? [] : [...signatures].flatMap((one) => tasksOfSignature(health, one)),
  );
  for (const { task, signature, commit } of fixes) {
    if (signature === null || commit === null) continue;
    if (green !== null && (await mirror.hasAll(green, [commit]))) worked.add(task.id);
    else if (swept !== null && (await mirror.hasAll(swept, [commit]))) continue;
    else if (await mirror.hasAll(head, [commit])) fixed.add(signature);
  }
  return { fixed, worked };
}

function standingFeature(repoId: string, createdAt: number): Ledger {
  const feature = {
    id: trunkHealthId(repoId),
    repoId,
    title: "Trunk health",
    description: "Fixes the failures that sweeps find on the trunk.",
    acceptance: [],
    priority: 1,
    source: "system" as const,
    createdAt,
  };
  return { ...newLedger(feature, feature.id), status: "building" };
}
