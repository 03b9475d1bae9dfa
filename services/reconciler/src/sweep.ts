import {
  asFault,
  Fault,
  type Check,
  type FixDraft,
  type Sweep,
  type SweepRequest,
} from "@agentswarm/contracts";
import { failpoint } from "@agentswarm/contracts/node";
import { failuresOf, findChecks, hashOf } from "@agentswarm/checks";
import type { Mirror, PublishRight, RefMove } from "@agentswarm/git";
import type { CheckRecord } from "./check-records.ts";
import { checkTree, type TreeToCheck } from "./check-tree.ts";
import type { SweepContext } from "./context.ts";
import { decideGreen } from "./decide-green.ts";
import { draftFixes, MAX_DRAFTS, templateDraft } from "./draft-fixes.ts";

const GREEN = "refs/heads/green";
const RECENT_LANDINGS = 30;

/**
 * One pass over the trunk's head.
 *
 * 1. Read the checks from the head. If they cannot be read, the outcome is `error`.
 * 2. Run every check in a fresh sandbox, or reuse the record of the tree.
 * 3. All passed: move green to the head.
 * 4. Some failed: draft one fix task per failure.
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
  const head = await mirror.head();
  const green = await mirror.green();
  const tree = await mirror.treeOf(head);
  const about = { why: request.why, repoId: ctx.repoId, head, tree };
  const checks = await checksOf(mirror, head).catch(unlessTargetIsInvalid);
  if (checks instanceof Fault) {
    const nothing = { checksHash: "", checks: [], failures: [], drafts: [] };
    return { ...about, ...nothing, outcome: "error", reason: checks.message, green };
  }
  const target = { head, tree, checks, checksHash: hashOf(checks), askedAt: request.askedAt };
  const record = await checkTree(ctx, target, signal);
  return { ...about, checksHash: target.checksHash, ...(await conclude(ctx, target, record, green, signal)) };
}

function unlessTargetIsInvalid(error: unknown): Fault {
  if (error instanceof Fault && error.code === "target.invalid") return error;
  throw error;
}

type Conclusion = Omit<Sweep, "why" | "repoId" | "head" | "tree" | "checksHash">;

async function conclude(
  ctx: SweepContext,
  target: TreeToCheck,
  record: CheckRecord,
  green: string | null,
  signal: AbortSignal,
): Promise<Conclusion> {
  const { mirror } = ctx;
  const { head } = target;
  const { checks } = record;
  const greenIsAncestor = green !== null && (await mirror.isAncestor(green, head));
  const decision = decideGreen({ head, green, greenIsAncestor, results: checks });
  if (decision.outcome === "green") {
    const at = decision.advance
      ? await advanceGreen(mirror, { ref: GREEN, from: green, to: head }, { lost: signal })
      : green;
    return { checks, outcome: "green", green: at, failures: [], drafts: [] };
  }
  const drafts = await draftsFor(ctx, target, record, green, signal);
  return { checks, outcome: "red", green, failures: failuresOf(checks), drafts };
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

async function checksOf(mirror: Mirror, commit: string): Promise<Check[]> {
  const { settings } = await findChecks((path) => mirror.readFile(commit, path));
  const seen = new Set<string>();
  return [...settings.checks.gate, ...settings.checks.sweep].filter(
    (check) => !seen.has(check.command) && seen.add(check.command),
  );
}

/** Moves green by compare-and-swap while this job holds its lock; a move by others wins. Returns green's commit. */
async function advanceGreen(mirror: Mirror, move: RefMove, by: PublishRight): Promise<string | null> {
  const pushed = await mirror.push(move, by);
  failpoint("reconciler.published");
  if (pushed === "published") return move.to;
  await mirror.fetch();
  return mirror.green();
}
