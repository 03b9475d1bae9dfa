import {
  Fault,
  failpoint,
  type Check,
  type FixDraft,
  type Sweep,
  type SweepRequest,
} from "@agentswarm/contracts";
import { failuresOf, findChecks, hashOf } from "@agentswarm/checks";
import type { Mirror, PublishRight, RefMove } from "@agentswarm/git";
import { decideGreen } from "./decide-green.ts";
import { draftFixes, MAX_DRAFTS, plainDraft } from "./draft-fixes.ts";
import { judge, type Case } from "./judge.ts";
import type { Verdict } from "./verdicts.ts";
import type { Workshop } from "./workshop.ts";

const GREEN = "refs/heads/green";
const RECENT_LANDINGS = 30;

/**
 * One pass over the trunk's head: every check of the target in a fresh sandbox, then green is moved when all pass, or
 * fix tasks are worded when not. Running it twice on the same head gives the same sweep. A target whose checks
 * cannot be told makes a sweep too, with the outcome `error`.
 */
export async function sweep(
  shop: Workshop,
  request: SweepRequest & { readonly askedAt: number },
  signal: AbortSignal,
): Promise<Sweep> {
  const { mirror } = shop;
  await mirror.fetch();
  const head = await mirror.head();
  const green = await mirror.green();
  const tree = await mirror.treeOf(head);
  const about = { why: request.why, head, tree };
  const checks = await checksOf(mirror, head).catch(unlessTargetIsWrong);
  if (checks instanceof Fault) {
    const nothing = { checksHash: "", checks: [], failures: [], drafts: [] };
    return { ...about, ...nothing, outcome: "error", reason: checks.message, green };
  }
  const one = { head, tree, checks, checksHash: hashOf(checks), askedAt: request.askedAt };
  const verdict = await judge(shop, one, signal);
  return { ...about, checksHash: one.checksHash, ...(await conclude(shop, one, verdict, green, signal)) };
}

function unlessTargetIsWrong(error: unknown): Fault {
  if (error instanceof Fault && error.code === "target.invalid") return error;
  throw error;
}

type Conclusion = Omit<Sweep, "why" | "head" | "tree" | "checksHash">;

async function conclude(
  shop: Workshop,
  one: Case,
  verdict: Verdict,
  green: string | null,
  signal: AbortSignal,
): Promise<Conclusion> {
  const { mirror } = shop;
  const { head } = one;
  const { checks } = verdict;
  const greenIsAncestor = green !== null && (await mirror.isAncestor(green, head));
  const finding = decideGreen({ head, green, greenIsAncestor, results: checks });
  if (finding.outcome === "green") {
    const at = finding.advance
      ? await advanceGreen(mirror, { ref: GREEN, from: green, to: head }, { lost: signal })
      : green;
    return { checks, outcome: "green", green: at, failures: [], drafts: [] };
  }
  const drafts = await draftsFor(shop, one, verdict, green, signal);
  return { checks, outcome: "red", green, failures: failuresOf(checks), drafts };
}

/** Fix tasks for what failed, worded by the model once per verdict; where it cannot be had they are worded here. */
async function draftsFor(
  shop: Workshop,
  { head, tree, checksHash }: Case,
  verdict: Verdict,
  green: string | null,
  signal: AbortSignal,
): Promise<FixDraft[]> {
  if (verdict.drafts.length > 0) return verdict.drafts;
  const failures = failuresOf(verdict.checks);
  const landings = (await shop.mirror.landings(head, green ?? undefined))
    .slice(0, RECENT_LANDINGS)
    .map((landing) => `${landing.commit.slice(0, 10)} ${landing.title}`);
  try {
    const drafts = await draftFixes(shop.model, shop.promptsDir, failures, landings, signal);
    if (drafts.length > 0) {
      await shop.verdicts.keep(tree, checksHash, { ...verdict, drafts });
      return drafts;
    }
  } catch (error) {
    const fault = Fault.from(error);
    const unasked = fault.code.startsWith("model.") || fault.code === "budget.reached";
    if (signal.aborted || !unasked) throw error;
    shop.log.warn({ head, err: fault }, "the model words no fixes; they are worded without it");
  }
  return failures.slice(0, MAX_DRAFTS).map(plainDraft);
}

async function checksOf(mirror: Mirror, commit: string): Promise<Check[]> {
  const { settings } = await findChecks((path) => mirror.readFile(commit, path));
  const seen = new Set<string>();
  return [...settings.checks.gate, ...settings.checks.sweep].filter(
    (check) => !seen.has(check.command) && seen.add(check.command),
  );
}

/** Moves green by compare-and-swap, while this job holds its lock; somebody else's move wins. Returns where it points now. */
async function advanceGreen(mirror: Mirror, move: RefMove, by: PublishRight): Promise<string | null> {
  const pushed = await mirror.push(move, by);
  failpoint("reconciler.published");
  if (pushed === "published") return move.to;
  await mirror.fetch();
  return mirror.green();
}
