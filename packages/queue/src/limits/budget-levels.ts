import { isTrunkHealth, type Budget, type BudgetLevel } from "@agentswarm/contracts";
import type { BudgetCaps } from "../settings.ts";

/** The purpose of a call to a model. The call is charged to the swarm and to all that the purpose names. */
export interface Purpose {
  readonly featureId?: string;
  /** The limits of one attempt; a `costUsd` of 0 is no limit. */
  readonly attempt?: {
    readonly taskId: string;
    readonly attempt: number;
    readonly limits: { readonly costUsd: number; readonly tokens: number };
  };
}

/** One budget that calls are counted against. */
export interface Level {
  readonly level: BudgetLevel;
  /** Part of its keys in Redis. */
  readonly name: string;
  readonly cap: Budget;
  /** Milliseconds for which its keys are kept after the newest call; for ever when not set. */
  readonly keepMs?: number;
}

const ATTEMPTS_KEPT_MS = 24 * 3_600_000;

/** The budgets that a call counts against, widest first. */
export function levelsOf(caps: BudgetCaps, { featureId, attempt }: Purpose): Level[] {
  const levels: Level[] = [
    { level: "swarm", name: "swarm", cap: capOf(caps.BUDGET_USD, caps.BUDGET_TOKENS) },
  ];
  if (featureId !== undefined) {
    // Trunk health exists for as long as the swarm does, so a cap that is meant for one feature would end it one day.
    const cap = isTrunkHealth(featureId) ? {} : capOf(caps.FEATURE_BUDGET_USD, caps.FEATURE_BUDGET_TOKENS);
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

/** Names the cap that is used up, by the setting that raises it. */
export function describeUsedUp(
  level: BudgetLevel,
  { unit, cap, spent, own }: { unit: "usd" | "tokens"; cap: number; spent: number; own: boolean },
): string {
  if (level === "task")
    return `the limit of ${cap} ${unit === "usd" ? "USD" : "tokens"} was reached (${short(spent)})`;
  const name = own ? `the feature's budget.${unit}` : `${SETTING[level]}_${unit.toUpperCase()}`;
  return `${name}=${cap} is used up (${short(spent)})`;
}

/** Four digits show how far a cap is exceeded. */
function short(amount: number): string {
  return Number.isInteger(amount) ? String(amount) : String(Number(amount.toPrecision(4)));
}
