import { isTrunkHealth, type Budget, type BudgetLevel } from "@agentswarm/contracts";
import type { BudgetCaps } from "../settings.ts";

/** What a call to a model is for; all that it names must be able to pay for it. */
export interface Purpose {
  readonly featureId?: string;
  /** The bounds of one attempt; a `costUsd` of 0 is none. */
  readonly attempt?: {
    readonly taskId: string;
    readonly attempt: number;
    readonly limits: { readonly costUsd: number; readonly tokens: number };
  };
}

/** One budget that calls are counted against. */
export interface Level {
  readonly level: BudgetLevel;
  /** Of its keys. */
  readonly name: string;
  readonly cap: Budget;
  /** For how long after the newest call it is remembered; for ever where this is not set. */
  readonly keepMs?: number;
}

const ATTEMPTS_KEPT_MS = 24 * 3_600_000;

/** The budgets that a call counts against, widest first. */
export function levelsOf(caps: BudgetCaps, { featureId, attempt }: Purpose): Level[] {
  const levels: Level[] = [
    { level: "swarm", name: "swarm", cap: capOf(caps.BUDGET_USD, caps.BUDGET_TOKENS) },
  ];
  if (featureId !== undefined) {
    // It mends the trunk for as long as the swarm lives: a cap that is meant for one feature would end that one day.
    const standing = isTrunkHealth(featureId);
    const cap = standing ? {} : capOf(caps.FEATURE_BUDGET_USD, caps.FEATURE_BUDGET_TOKENS);
    levels.push({ level: "feature", name: `feature-${featureId}`, cap });
  }
  if (attempt !== undefined) {
    const { taskId, limits } = attempt;
    const cap = capOf(limits.costUsd > 0 ? limits.costUsd : undefined, limits.tokens);
    const name = `attempt-${taskId}-${attempt.attempt}`;
    levels.push({ level: "task", name, cap, keepMs: ATTEMPTS_KEPT_MS });
  }
  return levels;
}

function capOf(usd: number | undefined, tokens: number | undefined): Budget {
  return { ...(usd === undefined ? {} : { usd }), ...(tokens === undefined ? {} : { tokens }) };
}

const SETTING = { swarm: "BUDGET", feature: "FEATURE_BUDGET" } as const;

/** Says which cap is used up, by the name under which a person can raise it. */
export function sayUsedUp(
  level: BudgetLevel,
  { unit, cap, spent, own }: { unit: "usd" | "tokens"; cap: number; spent: number; own: boolean },
): string {
  if (level === "task")
    return `the limit of ${cap} ${unit === "usd" ? "USD" : "tokens"} was reached (${short(spent)})`;
  const name = own ? `the feature's budget.${unit}` : `${SETTING[level]}_${unit.toUpperCase()}`;
  return `${name}=${cap} is used up (${short(spent)})`;
}

/** Four digits are enough to see how far over a cap it went. */
function short(amount: number): string {
  return Number.isInteger(amount) ? String(amount) : String(Number(amount.toPrecision(4)));
}
