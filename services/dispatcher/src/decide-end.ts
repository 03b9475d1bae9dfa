import {
  agentResultSchema,
  COUNTED_ENDS,
  NO_METRICS,
  NO_NOTES,
  type AgentResult,
} from "@agentswarm/contracts";
import type { Overrun } from "./deadlines.ts";

export interface AttemptFacts {
  /** What the sandbox gave as its result; undefined when it gave none. */
  readonly result: unknown;
  /** Whether its commits came out as a whole. */
  readonly hasBundle: boolean;
  readonly exit: { readonly code: number | null; readonly signal: string | null };
  readonly cancelled: boolean;
  readonly overrun: Overrun | null;
  /** The runner lived on, but what came through the door was no longer the protocol. */
  readonly doorBroken: boolean;
  /** Which bound of the gateway was reached, or null. */
  readonly overBudget: string | null;
  /** Which budget that all share was used up when the agent asked the model, or null. */
  readonly usedUp: string | null;
  /** Why the newest model call got no answer, when that was the backend's trouble. */
  readonly modelUnavailable: string | null;
  readonly stderrTail: string;
}

/** How an attempt ended, from what is known outside the sandbox; what the sandbox says comes last. */
export function decideEnd(facts: AttemptFacts): AgentResult {
  if (facts.cancelled) return without("cancelled", "cancelled");
  const waits = facts.overrun === "budget" || (facts.overrun === null && facts.result === undefined);
  // Nothing is wrong with the task while there is no money, so it costs no attempt.
  if (waits && facts.usedUp !== null) return without("budget", facts.usedUp);
  if (facts.overrun !== null) return without("limit-reached", whyOverrun(facts.overrun, facts.overBudget));
  if (facts.result === undefined) return withoutResult(facts);
  const parsed = agentResultSchema.safeParse(facts.result);
  if (!parsed.success) {
    return without("failed", `the sandbox's result cannot be read: ${parsed.error.message}`);
  }
  return weigh(parsed.data, facts);
}

function whyOverrun(overrun: Overrun, overBudget: string | null): string {
  if (overrun === "wall") return "the attempt took longer than its wall time";
  if (overrun === "idle") return "the agent gave no sign of life for its idle time";
  return `${overBudget ?? "a budget was used up"}, and the agent did not hand over`;
}

function withoutResult(facts: AttemptFacts): AgentResult {
  const tail = facts.stderrTail.trim();
  const said = tail === "" ? "" : `: ${tail}`;
  if (facts.doorBroken) return without("failed", `the sandbox broke the protocol of its door${said}`);
  const how = facts.exit.signal === null ? `exit ${facts.exit.code}` : facts.exit.signal;
  if (isOutOfResources(facts)) return without("resource", `the sandbox ran out of resources (${how})${said}`);
  return without("lost", `the sandbox ended without a result (${how})${said}`);
}

/** What programs print when memory or processes run out; a bare kill tells nothing and counts as lost. */
function isOutOfResources({ stderrTail }: AttemptFacts): boolean {
  return /JavaScript heap out of memory|Cannot allocate memory|ENOMEM|fork: (retry: )?Resource temporarily unavailable|spawn \S+ EAGAIN/i.test(
    stderrTail,
  );
}

/** Looks at a readable result: what it claims about itself must fit what was seen. */
function weigh(result: AgentResult, facts: AttemptFacts): AgentResult {
  const failed = (end: AgentResult["end"], reason: string): AgentResult => {
    return { ...result, outcome: "failed", end, reason: reason.slice(0, 20_000), headCommit: null };
  };
  if (result.headCommit !== null && !facts.hasBundle) {
    return failed("failed", "the result names a commit, but no bundle of commits came with it");
  }
  if (result.headCommit === null) {
    if (facts.usedUp !== null) return failed("budget", facts.usedUp);
    if (facts.overBudget !== null) return failed("limit-reached", facts.overBudget);
    // Nothing is wrong with the task while the model is down, so it costs no attempt.
    if (facts.modelUnavailable !== null && result.outcome === "failed")
      return failed("lost", facts.modelUnavailable);
    const claimsWork = result.outcome === "complete" || result.outcome === "partial";
    if (claimsWork) return failed("failed", "the attempt changed nothing");
  }
  // These ends cost no attempt, so they are not the sandbox's to claim.
  if (result.end !== "submitted" && !COUNTED_ENDS.has(result.end)) {
    return failed("failed", result.reason ?? `the runner said ${result.end}`);
  }
  return result;
}

/** The result of an attempt that gave none. */
export function without(end: AgentResult["end"], reason: string): AgentResult {
  return {
    outcome: "failed",
    end,
    reason: reason.slice(0, 20_000),
    summary: "",
    ...NO_NOTES,
    metrics: NO_METRICS,
    headCommit: null,
  };
}
