import type { Sweep } from "@agentswarm/contracts";
import { findRecord, landingsOf, needTasks } from "./find-tasks.ts";
import { withRecord, type Ledger } from "./ledger.ts";

/** What one sweep and the trunk say about a feature that waits for green. */
export interface VerifyingFacts {
  readonly outcome: Sweep["outcome"];
  /** Every landing of the feature is in green, and green is on the trunk. */
  readonly inGreen: boolean;
  /** Every landing of the feature was in the commit that was swept, and that commit is on the trunk. */
  readonly inSwept: boolean;
  /** Ids of tasks whose landing the trunk does not have any more. */
  readonly lost: readonly string[];
  /** A fix task is under way, or has landed since the sweep read the trunk. */
  readonly fixOpen: boolean;
}

/**
 * `lost`: the trunk was force-pushed or rewound behind these landings. `done`: green has them all. `unchecked`: the
 * trunk has them all, and no checks that could make it green. `count`: the trunk is red with them, and no fix is under
 * way. `wait`: a later sweep decides; one that could not run says nothing about the work.
 */
export type VerifyingDecision =
  | { kind: "done" }
  | { kind: "unchecked" }
  | { kind: "lost"; taskIds: readonly string[] }
  | { kind: "count" }
  | { kind: "wait" };

/** Decides what a sweep means for a feature that waits for green. Pure. */
export function decideVerifying(facts: VerifyingFacts): VerifyingDecision {
  const { outcome, inGreen, inSwept, lost, fixOpen } = facts;
  if (lost.length > 0) return { kind: "lost", taskIds: lost };
  if (inGreen) return { kind: "done" };
  if (outcome === "unchecked") return { kind: inSwept ? "unchecked" : "wait" };
  return { kind: outcome === "red" && inSwept && !fixOpen ? "count" : "wait" };
}

const UNCHECKED = "landed, but nothing was checked: the target has no checks";

/** Carries out a decision. A ledger that has other landings now than `decidedOn` waits for the next sweep. */
export function absorbVerdict(
  now: Ledger,
  decidedOn: ReadonlyMap<string, string>,
  decision: VerifyingDecision,
  { sweepId, at }: { readonly sweepId: string; readonly at: number },
): Ledger {
  if (now.status !== "verifying" || !sameLandings(landingsOf(now), decidedOn)) return now;
  switch (decision.kind) {
    case "done":
      return { ...now, status: "done", finishedAt: at };
    case "unchecked":
      return { ...now, status: "done", reason: UNCHECKED, finishedAt: at };
    case "lost":
      return loseLandings(now, decision.taskIds, at);
    case "count":
      return now.redSweeps.includes(sweepId) ? now : { ...now, redSweeps: [...now.redSweeps, sweepId] };
    case "wait":
      return now;
  }
}

function sameLandings(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean {
  return a.size === b.size && [...a].every(([taskId, commit]) => b.get(taskId) === commit);
}

/**
 * Fails the feature and the tasks whose landing is gone. They are not built again without a person: perhaps a person took
 * them off the trunk because they were wrong.
 */
function loseLandings(ledger: Ledger, lost: readonly string[], finishedAt: number): Ledger {
  needTasks(ledger, lost);
  const whys: string[] = [];
  let failed = ledger;
  for (const id of lost) {
    const { task, commit } = findRecord(ledger, id) ?? {};
    if (task === undefined || !commit) continue;
    const reason = `its landing ${commit.slice(0, 12)} is not on the trunk any more`;
    whys.push(`${task.key}: ${reason}`);
    failed = withRecord(failed, id, { status: "failed", commit: null, reason });
  }
  const reason = `the trunk was force-pushed or rewound; retry builds the lost work again\n${whys.join("\n")}`;
  return { ...failed, status: "failed", reason, finishedAt };
}
