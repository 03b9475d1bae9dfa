import type { Forecast, TaskKind } from "@agentswarm/contracts";
import type { BudgetState } from "@agentswarm/queue";

/** The cost of one landed task, all its attempts together. */
export interface TaskCost {
  readonly kind: TaskKind;
  readonly costUsd: number;
  readonly tokens: number;
}

/**
 * The expected cost of a plan: for each task the median cost of landed tasks of its kind; if none of its kind has
 * landed yet, of any kind. Null while there is no history. Pure.
 */
export function makeForecast(
  kinds: readonly TaskKind[],
  history: readonly TaskCost[],
  budgets: { readonly swarm: BudgetState; readonly feature: BudgetState | null },
): Forecast | null {
  if (history.length === 0) return null;
  const used = new Set<TaskCost>();
  let [usd, tokens] = [0, 0];
  for (const kind of kinds) {
    const same = history.filter((one) => one.kind === kind);
    const like = same.length > 0 ? same : history;
    for (const one of like) used.add(one);
    usd += median(like.map((one) => one.costUsd));
    tokens += median(like.map((one) => one.tokens));
  }
  const amounts = { usd, tokens: Math.round(tokens) };
  return { ...amounts, tasks: kinds.length, basedOn: used.size, warning: warningOf(amounts, budgets) };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const [below = 0, above = 0] = [sorted[sorted.length % 2 === 0 ? middle - 1 : middle], sorted[middle]];
  return (below + above) / 2;
}

/** Names the budget that has less left than the forecast, or null. */
function warningOf(
  forecast: { usd: number; tokens: number },
  { swarm, feature }: { readonly swarm: BudgetState; readonly feature: BudgetState | null },
): string | null {
  for (const [whose, state] of [
    ["swarm", swarm],
    ["feature", feature],
  ] as const) {
    if (state === null) continue;
    const leftUsd = (state.cap.usd ?? Infinity) - state.spent.costUsd;
    if (forecast.usd > leftUsd)
      return `${round(forecast.usd)} USD are expected, but the ${whose}'s budget has ${round(leftUsd)} left`;
    const leftTokens = (state.cap.tokens ?? Infinity) - state.spent.tokens;
    if (forecast.tokens > leftTokens)
      return `${forecast.tokens} tokens are expected, but the ${whose}'s budget has ${leftTokens} left`;
  }
  return null;
}

function round(usd: number): number {
  return Number(usd.toPrecision(4));
}
