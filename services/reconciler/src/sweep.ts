import {
  asFault,
  Fault,
  type Check,
  type FixDraft,
  type Sweep,
  type SweepRequest,
  type TrunkState,
} from "@agentswarm/contracts";
import { failpoint } from "@agentswarm/contracts/node";
import { failuresOf, findChecks, hashOf } from "@agentswarm/checks";
import type { Mirror, PublishRight, RefMove } from "@agentswarm/git";
import type { CheckRecord } from "./check-records.ts";
import { checkTree, type TreeToCheck } from "./check-tree.ts";
import type { SweepContext } from "./context.ts";
import { decideGreen } from "./decide-green.ts";
import { draftFixes, MAX_DRAFTS, templateDraft } from "./draft-fixes.ts";
import { decideTrunkState } from "./trunk-state.ts";

const GREEN = "refs/heads/green";
const RECENT_LANDINGS = 30;

/**
 * One pass over the trunk's head.
 *
 * 1. Look whether the trunk's history contains green. If it does not, say so.
 * 2. Read the checks from the head. If they cannot be read, the outcome is `error`.
 * 3. Run every check in a fresh sandbox, or reuse the record of the tree.
 * 4. Note for the other services whether the trunk is to be held, or has no checks. Then nothing else is done.
 * 5. All passed: move green to the head.
 * 6. Some failed: draft one fix task per failure.
 *
 * A second run on the same head gives the same sweep.
 */
export async function sweep(
  ctx: SweepContext,
  request: Pick<SweepRequest, "why"> & { readonly askedAt: number },
  signal: AbortSignal,
): Promise<Sweep> {
  const { mirror } = ctx;
  await mirror.fetch();
  // Green before the head: a landing between the two reads would make a green of another reconciler look rewritten.
  const green = await readGreen(mirror, await mirror.green(), await mirror.head());
  const { head } = green;
  if (green.lost !== null) await reportRewritten(ctx, head, green.lost);
  const tree = await mirror.treeOf(head);
  const about = { why: request.why, repoId: ctx.repoId, head, tree };
  const found = await checksOf(mirror, head).catch(unlessTargetIsInvalid);
  if (found instanceof Fault) {
    const nothing = { checksHash: "", checks: [], failures: [], drafts: [] };
    return { ...about, ...nothing, outcome: "error", reason: found.message, green: green.commit };
  }
  const { checks, isChecked } = found;
  const target = { head, tree, checks, checksHash: hashOf(checks), askedAt: request.askedAt };
  const record = await checkTree(ctx, target, signal);
  const state = decideTrunkState({
    head,
    results: record.checks,
    isUntouched: green.commit === null && (await mirror.landings(head)).length === 0,
    isChecked,
    redTrunk: ctx.redTrunk,
  });
  await noteState(ctx, state);
  if (state.unchecked !== null || state.hold !== null) {
    // Nothing is drafted for a held trunk: a fix of it would be refused at the gate as every other change.
    const outcome = state.hold === null ? "unchecked" : "red";
    const reason = state.hold ?? state.unchecked ?? "";
    const failures = failuresOf(record.checks);
    const said = { checks: record.checks, failures, drafts: [], green: green.commit };
    return { ...about, ...said, checksHash: target.checksHash, outcome, reason };
  }
  return { ...about, checksHash: target.checksHash, ...(await conclude(ctx, target, record, green, signal)) };
}

function unlessTargetIsInvalid(error: unknown): Fault {
  if (error instanceof Fault && error.code === "target.invalid") return error;
  throw error;
}

/** Where green is, seen from a head of the trunk. */
interface GreenSeen {
  readonly head: string;
  /** Green, if the history of the head contains it. */
  readonly commit: string | null;
  /** Green, if the history of the head lacks it. */
  readonly lost: string | null;
}

async function readGreen(mirror: Mirror, green: string | null, head: string): Promise<GreenSeen> {
  const isOnTrunk = green !== null && (await mirror.isAncestor(green, head));
  return { head, commit: isOnTrunk ? green : null, lost: isOnTrunk ? null : green };
}

/** Only a forced push makes this, so a person is told. */
async function reportRewritten({ sender, log, repoId, mirror }: SweepContext, head: string, green: string) {
  const why =
    `${mirror.trunk} was force-pushed or rewound: its head ${head.slice(0, 10)} does not contain green ` +
    `(${green.slice(0, 10)}). Green moves to the next head that passes every check. To undo it, push ` +
    `${green.slice(0, 10)} to ${mirror.trunk} again; set TRUNK if another branch is the trunk now`;
  log.error({ repoId, head, green }, why);
  await sender.event({
    id: `trunk-rewritten-${green}-${head}`,
    type: "trunk.rewritten",
    repoId,
    data: { head, green, why },
  });
}

type Conclusion = Omit<Sweep, "why" | "repoId" | "head" | "tree" | "checksHash">;

async function conclude(
  ctx: SweepContext,
  target: TreeToCheck,
  record: CheckRecord,
  green: GreenSeen,
  signal: AbortSignal,
): Promise<Conclusion> {
  const { mirror } = ctx;
  const { head } = target;
  const { checks } = record;
  const from = green.commit ?? green.lost;
  const greenIsOnTrunk = green.lost === null;
  const decision = decideGreen({ head, green: from, greenIsOnTrunk, results: checks });
  if (decision.outcome === "green") {
    const move = { ref: GREEN, from, to: head };
    const at = decision.move === "none" ? from : await MOVE[decision.move](mirror, move, { lost: signal });
    return { checks, outcome: "green", green: at, failures: [], drafts: [] };
  }
  const drafts = await draftsFor(ctx, target, record, green.commit, signal);
  return { checks, outcome: "red", green: green.commit, failures: failuresOf(checks), drafts };
}

/** Fix tasks for the failed checks: drafted by the model once per record, or from a template if the model cannot. */
async function draftsFor(
  ctx: SweepContext,
  { head, tree, checksHash }: TreeToCheck,
  record: CheckRecord,
  green: string | null,
  signal: AbortSignal,
): Promise<FixDraft[]> {
  if (record.drafts.length > 0) return record.drafts;
  const failures = failuresOf(record.checks);
  const landings = (await ctx.mirror.landings(head, green ?? undefined))
    .slice(0, RECENT_LANDINGS)
    .map((landing) => `${landing.commit.slice(0, 10)} ${landing.title}`);
  try {
    const drafts = await draftFixes(ctx, failures, landings, signal);
    if (drafts.length > 0) {
      await ctx.records.keep(tree, checksHash, { ...record, drafts });
      return drafts;
    }
  } catch (error) {
    const fault = asFault(error);
    const byModel = fault.code.startsWith("model.") || fault.code === "budget.reached";
    if (signal.aborted || !byModel) throw error;
    ctx.log.warn({ head, err: fault }, "the model could not draft fix tasks; using the template");
  }
  return failures.slice(0, MAX_DRAFTS).map(templateDraft);
}

/** The checks of a commit. `isChecked` is false when there are none and nobody has said so in a swarm.json. */
async function checksOf(
  mirror: Mirror,
  commit: string,
): Promise<{ readonly checks: Check[]; readonly isChecked: boolean }> {
  const { settings, found } = await findChecks((path) => mirror.readFile(commit, path));
  const seen = new Set<string>();
  const checks = [...settings.checks.gate, ...settings.checks.sweep].filter(
    (check) => !seen.has(check.command) && seen.add(check.command),
  );
  return { checks, isChecked: checks.length > 0 || found === "swarm.json" };
}

/** Notes the state for the other services, and says a new one to people. */
async function noteState({ trunkStates, repoId, log }: SweepContext, state: TrunkState): Promise<void> {
  const before = await trunkStates.read(repoId);
  await trunkStates.note(repoId, state);
  const why = state.hold ?? state.unchecked;
  if (why !== null && why !== (before?.hold ?? before?.unchecked))
    log.warn({ repoId, head: state.head }, why);
  if (why === null && before?.hold) log.info({ repoId, head: state.head }, "the trunk is not held any more");
}

/** Moves green by compare-and-swap while this job holds its lock; a move by others wins. Returns green's commit. */
async function advanceGreen(mirror: Mirror, move: RefMove, by: PublishRight): Promise<string | null> {
  const pushed = await mirror.push(move, by);
  failpoint("reconciler.published");
  if (pushed === "published") return move.to;
  await mirror.fetch();
  return (await readGreen(mirror, await mirror.green(), await mirror.head())).commit;
}

/**
 * Moves green onto a trunk that was rewritten. Looks at the trunk again first, because the checks took a while: the
 * history that green is in may be back, or the head that was checked may be gone.
 */
async function rebaseGreen(mirror: Mirror, move: RefMove, by: PublishRight): Promise<string | null> {
  await mirror.fetch();
  const now = await readGreen(mirror, await mirror.green(), await mirror.head());
  if (now.lost !== move.from || !(await mirror.isAncestor(move.to, now.head))) return now.commit;
  return advanceGreen(mirror, { ...move, rebase: true }, by);
}

const MOVE = { forward: advanceGreen, rebase: rebaseGreen } as const;
