import type { Decision, DecisionKind } from "@agentswarm/contracts";
import { findRecord } from "../find-tasks.ts";
import { withRecord, type Ledger } from "../ledger.ts";

/** Number of ended decisions that a task or a feature keeps, the newest. */
const KEPT = 20;
/** The text of an ended decision is cut to this when another one is asked. The api keeps the whole of it. */
const KEPT_CHARS = 200;

export function isOpen({ state }: Decision): boolean {
  return state === "open";
}

/** The open decision of this kind, or of any kind. */
export function openOne(decisions: readonly Decision[], kind?: DecisionKind): Decision | undefined {
  return decisions.find((one) => isOpen(one) && (kind === undefined || one.kind === kind));
}

/** Whether a plan waits for an approval, so that none of its tasks is sent. */
export function isPlanOpen({ decisions }: Pick<Ledger, "decisions">): boolean {
  return openOne(decisions, "plan") !== undefined;
}

/** Whether the newest plan that people were asked about was not approved. */
export function isPlanRefused({ decisions }: Pick<Ledger, "decisions">): boolean {
  const newest = decisions.findLast(({ kind }) => kind === "plan");
  return newest !== undefined && newest.outcome?.option !== "approve";
}

/** The decisions about a task, or with null about the feature as a whole. */
export function decisionsOf(ledger: Ledger, taskId: string | null): readonly Decision[] {
  return taskId === null ? ledger.decisions : (findRecord(ledger, taskId)?.decisions ?? []);
}

/** The ledger with other decisions about a task, or with null about the feature. */
export function withDecisions(ledger: Ledger, taskId: string | null, decisions: readonly Decision[]): Ledger {
  return taskId === null
    ? { ...ledger, decisions: [...decisions] }
    : withRecord(ledger, taskId, { decisions: [...decisions] });
}

/** The ledger with a decision in the place of the one with its id. */
export function replaceDecision(ledger: Ledger, decision: Decision): Ledger {
  const all = decisionsOf(ledger, decision.taskId);
  return withDecisions(
    ledger,
    decision.taskId,
    all.map((one) => (one.id === decision.id ? decision : one)),
  );
}

/** A list with a new decision at its end, without the oldest of those that have ended. */
export function keepWith(decisions: readonly Decision[], asked: Decision): Decision[] {
  const ended = decisions.filter((one) => !isOpen(one)).slice(-KEPT);
  const kept = new Set(ended.map(({ id }) => id));
  const shortened = decisions.flatMap((one) => {
    if (isOpen(one)) return [one];
    return kept.has(one.id) ? [{ ...one, ask: one.ask.slice(0, KEPT_CHARS) }] : [];
  });
  return [...shortened, asked];
}

/** A decision whose object is gone. */
export function withdrawn(decision: Decision, why: string, at: number): Decision {
  return { ...decision, state: "withdrawn", endedAt: at, endReason: why };
}

/** A decision before and after a step. */
export interface DecisionChange {
  readonly old: Decision | undefined;
  readonly now: Decision;
}

/** The decisions of a list that a step asked or changed. */
export function changedDecisions(
  before: readonly Decision[] | undefined,
  after: readonly Decision[],
): DecisionChange[] {
  if (before === after) return [];
  const olds = new Map(before?.map((one) => [one.id, one]));
  return after.flatMap((now) => {
    const old = olds.get(now.id);
    return old === now ? [] : [{ old, now }];
  });
}
