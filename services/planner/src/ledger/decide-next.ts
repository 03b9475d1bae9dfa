import { isTrunkHealth, trunkHealthId } from "@agentswarm/contracts";
import { isPlanOpen } from "./decisions/kept-decisions.ts";
import { countOf, tasksIn } from "./find-tasks.ts";
import { hasEnded, type Ledger } from "./ledger.ts";
import { describeRevert, unlandedParts, unrevertedTasks } from "./revert-feature.ts";
import { OPEN } from "./task-record.ts";

/** The next action that a feature needs. */
export type Next =
  | { kind: "plan" }
  | { kind: "accept" }
  | { kind: "replan"; why: string }
  | { kind: "hold"; why: string }
  | { kind: "revert" }
  | { kind: "reverted"; why: string }
  | { kind: "fail"; why: string }
  | { kind: "wait" };

const PLANNING_ROUNDS = 3;
/** Number of invalid plans in a row after which planning fails. */
export const PLAN_REFUSALS = 3;
export const RED_SWEEPS = 3;
/** Number of tasks that a reason names. */
const NAMED_TASKS = 50;

/** Decides from a feature's ledger what it needs next; `wait` when it waits for a message. Pure. */
export function decideNext(ledger: Ledger): Next {
  if (ledger.revert !== null) return nextOfRevert(ledger, ledger.revert);
  if (hasEnded(ledger) || ledger.paused !== null) return { kind: "wait" };
  // Fix tasks have no plan and no acceptance: sweeps decide whether they are needed.
  if (isTrunkHealth(ledger.feature.id)) return holdIfHeld(ledger) ?? { kind: "wait" };
  if (ledger.status === "planning" || ledger.status === "queued") {
    if (roundsExceeded(ledger))
      return {
        kind: "fail",
        why: `${PLANNING_ROUNDS} planning rounds were not enough: ${ledger.planningWhy}`,
      };
    if (ledger.refusedPlans >= PLAN_REFUSALS) return { kind: "fail", why: whyRefused(ledger) };
    return ledger.outOfBudget === null ? { kind: "plan" } : { kind: "wait" };
  }
  if (ledger.status === "verifying") {
    return ledger.redSweeps.length >= RED_SWEEPS ? { kind: "fail", why: whyRed(ledger) } : { kind: "wait" };
  }
  if (isPlanOpen(ledger) || countOf(ledger, ["sent"]) > 0) return { kind: "wait" };
  const held = holdIfHeld(ledger);
  if (held !== null) return held;
  if (countOf(ledger, OPEN) > 0) return { kind: "wait" };
  const failed = tasksIn(ledger, ["failed", "blocked"], NAMED_TASKS);
  if (failed.length > 0) {
    const why = failed.map((record) => `${record.task.key}: ${record.reason ?? "failed"}`).join("\n");
    return roundsUsed(ledger) >= PLANNING_ROUNDS ? { kind: "fail", why } : { kind: "replan", why };
  }
  return ledger.outOfBudget === null ? { kind: "accept" } : { kind: "wait" };
}

/**
 * A revert takes back what has landed, then ends. It asks for no acceptance and for no plan. A landing that was on its way
 * may come when the feature has ended as reverted already; it is taken back, too.
 */
function nextOfRevert(ledger: Ledger, revert: NonNullable<Ledger["revert"]>): Next {
  if (ledger.status === "failed" || ledger.paused !== null) return { kind: "wait" };
  if (countOf(ledger, ["sent"]) > 0) return { kind: "wait" };
  const held = holdIfHeld(ledger);
  if (held !== null) return held;
  if (countOf(ledger, OPEN) > 0) return { kind: "wait" };
  const unlanded = unlandedParts(ledger);
  if (unlanded.length === 0 && unrevertedTasks(ledger).length > 0) return { kind: "revert" };
  if (ledger.status === "cancelled") return { kind: "wait" };
  if (unlanded.length === 0) {
    const nothing = revert.covered.length === 0 ? " (nothing of it had landed)" : "";
    return { kind: "reverted", why: `${describeRevert(revert)}${nothing}` };
  }
  const whys = unlanded
    .slice(0, NAMED_TASKS)
    .map((record) => `${record?.task.key ?? "a task"}: ${record?.reason ?? "did not land"}`);
  return { kind: "fail", why: `the revert failed:\n${whys.join("\n")}` };
}

/** Null: no task waits for a person, or another task is under way. Tasks that are still planned wait for the held ones. */
function holdIfHeld(ledger: Ledger): Next | null {
  if (countOf(ledger, ["held"]) === 0 || countOf(ledger, ["sent"]) > 0) return null;
  if (ledger.status === "held") return { kind: "wait" };
  const held = tasksIn(ledger, ["held"], NAMED_TASKS);
  return { kind: "hold", why: held.map((one) => `${one.task.key}: ${one.reason}`).join("; ") };
}

/** Whether the planning rounds since the feature was submitted or retried are more than it may have. */
export function roundsExceeded(ledger: Ledger): boolean {
  return roundsUsed(ledger) > PLANNING_ROUNDS;
}

function roundsUsed({ planningRound, roundsBefore }: Ledger): number {
  return planningRound - roundsBefore;
}

function whyRed({ feature: { id, repoId } }: Ledger): string {
  const fix = `look at \`swarm status ${trunkHealthId(repoId)}\`, then \`swarm retry ${id}\``;
  return `the trunk was not green in ${RED_SWEEPS} sweeps, and no fix is under way: ${fix}`;
}

/** With the reason of the round, which a person needs more than that of the last refusal. */
function whyRefused({ planningWhy, refusal }: Ledger): string {
  const why = `${PLAN_REFUSALS} plans were refused: ${refusal}`;
  return planningWhy === "" ? why : `${why}\nIt was planned again because: ${planningWhy}`;
}
