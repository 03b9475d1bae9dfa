import {
  agentResultSchema,
  COUNTED_ENDS,
  HANDOFF_LIMITS,
  type AgentResult,
  type PutQuestion,
} from "@agentswarm/contracts";
import type { Overrun } from "./deadlines.ts";
import { failedResult } from "./failed-result.ts";

/** What is known about an attempt once its agent has ended. */
export interface AttemptFacts {
  /** The result that the sandbox gave; undefined when it gave none. */
  readonly result: unknown;
  /** Whether the bundle of its commits was received completely. */
  readonly hasBundle: boolean;
  readonly exit: { readonly code: number | null; readonly signal: string | null };
  /** The question for which the dispatcher parked the attempt, or null. */
  readonly parked: PutQuestion | null;
  /** Whether the task was cancelled. */
  readonly cancelled: boolean;
  readonly overrun: Overrun | null;
  /** The process lived on, but its door was closed: it broke the protocol. */
  readonly doorBroken: boolean;
  /** Why the sandbox exceeded the limits of its door, or null. */
  readonly doorExceeded: string | null;
  /** The attempt's own bound for which a model call was refused, or null. */
  readonly overBudget: string | null;
  /** The shared budget for which a model call was refused, or null. */
  readonly usedUp: string | null;
  /** Why the newest model call got no answer from a backend, or null. */
  readonly modelUnavailable: string | null;
  /** The limit that ended the sandbox or a program in it, as far as the provider knows; else null. */
  readonly reached: string | null;
  readonly stderrTail: string;
}

/** Decides how an attempt ended. Facts from outside the sandbox come first, the claims of the sandbox last. */
export function decideEnd(facts: AttemptFacts): AgentResult {
  if (facts.cancelled) return failedResult("cancelled", "cancelled");
  const parked = facts.parked === null ? null : endParked(facts, facts.parked);
  if (parked !== null) return parked;
  const hasNoResult = facts.overrun === "budget" || (facts.overrun === null && facts.result === undefined);
  // A used-up budget is no fault of the task, so the attempt is not counted.
  if (hasNoResult && facts.usedUp !== null) return failedResult("budget", facts.usedUp);
  if (facts.overrun !== null)
    return failedResult("limit-reached", whyOverrun(facts.overrun, facts.overBudget));
  if (facts.result === undefined) return withoutResult(facts);
  const parsed = agentResultSchema.safeParse(facts.result);
  if (!parsed.success) {
    return failedResult("failed", `the sandbox's result cannot be read: ${parsed.error.message}`);
  }
  return verify(parsed.data, facts);
}

/**
 * How a parked attempt ended: whatever became of its agent, the question stands. Null for one whose agent submitted work
 * all the same.
 */
function endParked(facts: AttemptFacts, { ask }: PutQuestion): AgentResult | null {
  const parsed = agentResultSchema.safeParse(facts.result);
  const reason = `waits for an answer: ${ask}`.slice(0, HANDOFF_LIMITS.reasonChars);
  if (!parsed.success) return { ...failedResult("parked", reason), outcome: "blocked" };
  const { data } = parsed;
  if (data.end === "submitted" && data.headCommit !== null) return null;
  const headCommit = data.end === "parked" && facts.hasBundle ? data.headCommit : null;
  return { ...data, end: "parked", outcome: "blocked", reason, headCommit };
}

function whyOverrun(overrun: Overrun, overBudget: string | null): string {
  if (overrun === "wall") return "the attempt took longer than its wall time";
  if (overrun === "idle") return "the agent gave no sign of life for its idle time";
  return `${overBudget ?? "a budget was used up"}, and the agent gave no result in time`;
}

function withoutResult(facts: AttemptFacts): AgentResult {
  if (facts.doorExceeded !== null) return failedResult("failed", facts.doorExceeded);
  const tail = facts.stderrTail.trim();
  const output = tail === "" ? "" : `: ${tail}`;
  if (facts.doorBroken) return failedResult("failed", `the sandbox broke the protocol of its door${output}`);
  const how = facts.exit.signal === null ? `exit ${facts.exit.code}` : facts.exit.signal;
  if (facts.reached !== null)
    return failedResult("resource", `the sandbox reached its limit of ${facts.reached} (${how})${output}`);
  if (isOutOfResources(facts))
    return failedResult("resource", `the sandbox ran out of resources (${how})${output}`);
  const model = facts.modelUnavailable === null ? "" : ` after ${facts.modelUnavailable}`;
  return failedResult("lost", `the sandbox ended without a result (${how})${model}${output}`);
}

/** Searches stderr for what programs print when memory or processes run out. A kill without a message counts as lost. */
function isOutOfResources({ stderrTail }: AttemptFacts): boolean {
  return /JavaScript heap out of memory|Cannot allocate memory|ENOMEM|fork: (retry: )?Resource temporarily unavailable|spawn \S+ EAGAIN/i.test(
    stderrTail,
  );
}

/** Compares the claims of a valid result with the facts. */
function verify(result: AgentResult, facts: AttemptFacts): AgentResult {
  const failed = (end: AgentResult["end"], reason: string): AgentResult => {
    return {
      ...result,
      outcome: "failed",
      end,
      reason: reason.slice(0, HANDOFF_LIMITS.reasonChars),
      headCommit: null,
    };
  };
  if (result.headCommit !== null && !facts.hasBundle) {
    return failed("failed", "the result names a commit, but no bundle of commits came with it");
  }
  if (result.headCommit === null) {
    if (facts.usedUp !== null) return failed("budget", facts.usedUp);
    if (facts.overBudget !== null) return failed("limit-reached", facts.overBudget);
    // A model that is down is no fault of the task, so the attempt is not counted.
    if (facts.modelUnavailable !== null && result.outcome === "failed")
      return failed("lost", facts.modelUnavailable);
    const claimsWork = result.outcome === "complete" || result.outcome === "partial";
    if (claimsWork) return failed("failed", "the attempt changed nothing");
  }
  // The other ends are not counted as attempts, so a sandbox may not claim them.
  if (result.end !== "submitted" && !COUNTED_ENDS.has(result.end)) {
    return failed("failed", result.reason ?? `the runner said ${result.end}`);
  }
  return result;
}
