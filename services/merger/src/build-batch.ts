import { findChecks } from "@agentswarm/checks";
import {
  asFault,
  type Fault,
  type MergeOutcome,
  type MergeRequest,
  type TargetSettings,
} from "@agentswarm/contracts";
import { failpoint } from "@agentswarm/contracts/node";
import { fetchAttempts, type BuiltLanding } from "@agentswarm/git";
import type { Batch, BatchItem } from "./batch.ts";
import { reportConflict } from "./conflict-report.ts";
import type { LandingContext } from "./context.ts";
import { findHolds, whyNotApproved } from "./find-holds.ts";
import type { Candidate, GateResult } from "./gate.ts";
import type { QueueEntry } from "./queue.ts";

/**
 * Builds a batch of `entries` upon `at.base`: the trunk's head, or the last commit of the batch before. `at.published`
 * is the trunk's head.
 *
 * 1. Read the target's settings from the base.
 * 2. Screen the entries: landed already, missing in the store or held for approval needs no landing.
 * 3. Build the landings of the other entries, one upon the other, as one pack.
 * 4. Pair each entry with its landing, or with the outcome of a conflict or a refusal.
 * 5. Start the gate on the last landing.
 */
export async function buildBatch(
  ctx: LandingContext,
  entries: readonly QueueEntry[],
  at: { readonly published: string; readonly base: string },
): Promise<Batch> {
  const target = await readTarget(ctx, at);
  const screened = await screenEntries(ctx, entries, at.published, target);
  failpoint("merger.screened");

  const wanted = entries.filter((entry) => !screened.has(entry));
  const built = await ctx.engine.build(at.base, wanted.map(landingRequestOf));
  failpoint("merger.built");

  const items: BatchItem[] = [];
  let tip = at.base;
  for (const entry of entries) {
    const landing = built[wanted.indexOf(entry)];
    const outcome = screened.get(entry) ?? (await unbuiltOutcome(ctx, entry.request, tip, landing));
    if (outcome !== null) {
      items.push({ entry, outcome });
    } else if (landing?.kind === "built") {
      const { commit, tree } = landing;
      items.push({ entry, built: { commit, tree } });
      tip = commit;
    }
  }
  const candidates = items.flatMap((item) =>
    "built" in item ? [{ ...item.built, base: at.base, trace: item.entry.trace, target }] : [],
  );
  const abandoned = new AbortController();
  return {
    base: at.base,
    items,
    candidates,
    gateResult: startGate(ctx, candidates.at(-1), abandoned.signal),
    abandon: () => abandoned.abort("batch abandoned"),
  };
}

/** The settings as of the base. Throws Fault `target.invalid` when those of the trunk cannot be read. */
async function readTarget(
  { engine }: LandingContext,
  { published, base }: { readonly published: string; readonly base: string },
): Promise<TargetSettings> {
  const read = async (commit: string) => (await findChecks((path) => engine.readFile(commit, path))).settings;
  try {
    return await read(base);
  } catch (error) {
    // The batch before, which left files that cannot be read, is red: this batch will be abandoned and built again.
    if (base === published) throw error;
    return read(published);
  }
}

/** The outcomes that are known before anything is built. */
async function screenEntries(
  ctx: LandingContext,
  entries: readonly QueueEntry[],
  published: string,
  target: TargetSettings,
): Promise<Map<QueueEntry, MergeOutcome>> {
  const outcomes = new Map<QueueEntry, MergeOutcome>();
  for (const entry of entries) {
    const commit = await ctx.landed.find(published, entry.request.taskId);
    if (commit !== null) outcomes.set(entry, { kind: "already-landed", commit });
  }
  const wanted = entries.filter((entry) => !outcomes.has(entry));
  const refs = wanted.map(({ request }) => request.ref);
  const missing = new Set(await fetchAttempts(ctx.store, ctx.mirror.dir, refs));
  const unapproved: QueueEntry[] = [];
  for (const entry of wanted) {
    const { request } = entry;
    const { taskId, featureId, attempt, ref } = request;
    const why = whyNotApproved(request);
    if (missing.has(ref)) {
      outcomes.set(entry, { kind: "unsafe", why: `the store has no ref ${ref}`, lost: true });
      ctx.log.error(
        { featureId, taskId, attempt, ref },
        "the store has lost an attempt; its task is run again",
      );
    } else if (why !== null) outcomes.set(entry, { kind: "unsafe", why });
    else if (request.approvedBy === undefined) unapproved.push(entry);
  }
  const requests = unapproved.map(({ request }) => request);
  const held = await findHolds(ctx, requests, target);
  for (const entry of unapproved) {
    const outcome = held.get(entry.request);
    if (outcome !== undefined) outcomes.set(entry, outcome);
  }
  return outcomes;
}

function landingRequestOf({ request }: QueueEntry) {
  return {
    base: request.baseCommit,
    head: request.headCommit,
    title: request.title,
    trailers: {
      taskId: request.taskId,
      featureId: request.featureId,
      attempt: request.attempt,
      model: request.handoff.model,
      costUsd: request.handoff.metrics.costUsd,
    },
    ...(request.byDefault === undefined ? {} : { byDefault: request.byDefault }),
  };
}

/** The outcome of an attempt for which no landing could be built upon `tip`; null when a landing was built. */
async function unbuiltOutcome(
  ctx: LandingContext,
  request: MergeRequest,
  tip: string,
  landing: BuiltLanding | undefined,
): Promise<MergeOutcome | null> {
  switch (landing?.kind) {
    case "conflict":
      return reportConflict(ctx, request, tip, landing.paths);
    case "empty":
      // Plans of several features overlap, so others may have done this work. An attempt without changes did nothing.
      return (await changesNothing(ctx, request))
        ? { kind: "unsafe", why: "the attempt changes nothing: its last commit has the files of its base" }
        : { kind: "already-landed", commit: tip, empty: true };
    case "refused":
      return { kind: "unsafe", why: `git refuses the attempt's objects: ${landing.why}` };
    default:
      return null;
  }
}

async function changesNothing({ mirror }: LandingContext, request: MergeRequest): Promise<boolean> {
  return (await mirror.treeOf(request.headCommit)) === (await mirror.treeOf(request.baseCommit));
}

async function startGate(
  { gate, signal }: LandingContext,
  last: Candidate | undefined,
  abandoned: AbortSignal,
): Promise<GateResult | Fault> {
  if (gate === null || last === undefined) return null;
  try {
    return await gate.test(last, AbortSignal.any([abandoned, signal]));
  } catch (error) {
    return asFault(error);
  }
}
