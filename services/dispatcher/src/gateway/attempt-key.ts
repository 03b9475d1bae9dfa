import { randomBytes } from "node:crypto";
import type { BudgetHandle, BudgetLevel, Limits, Role } from "@agentswarm/contracts";
import { addUsage, NO_USAGE, type Usage } from "@agentswarm/llm";

/** The ids of an attempt, for log lines. */
export interface AttemptIds {
  readonly featureId: string;
  readonly taskId: string;
  readonly attempt: number;
}

/** The bounds of one key. */
export interface KeyOrder {
  /** The attempt that the key is for. */
  readonly ids: AttemptIds;
  readonly limits: Limits;
  /** The role of its calls; the router chooses a backend by it. */
  readonly role: Role;
  /** By `performance.now()`, which no change of the clock moves; the key is invalid afterwards. */
  readonly expiresAt: number;
  /** The budgets that its calls are charged to, beside the limits. */
  readonly budget: BudgetHandle;
  /** Called for every call that was paid, numbered from 1. */
  readonly onCharge?: (usage: Usage, call: number) => void;
  /** Called once, when a call was refused because a bound is reached. */
  readonly onExhausted?: (why: string, level: BudgetLevel) => void;
}

/** The key of one attempt to the model. The backends' keys never enter a sandbox. */
export interface AttemptKey extends Disposable {
  readonly key: string;
  readonly ids: AttemptIds;
  readonly role: Role;
  readonly budget: BudgetHandle;
  /** Begins a call, or names the bound that forbids it. A call that was begun must be charged, forbidden or withdrawn. */
  begin(): { kind: "open" } | { kind: "exhausted"; why: string } | { kind: "crowded" };
  /** Takes back a call that was begun, because its request is invalid. */
  withdraw(): void;
  /** Takes back a call that was begun, because its budget is used up. */
  forbid(level: BudgetLevel, why: string): void;
  /** Ends a call. `unavailable`: why the backend gave no answer. */
  charge(usage: Usage, unavailable?: string): void;
  usage(): { tokensIn: number; tokensOut: number; tokensCached: number; costUsd: number };
  /** The number of calls. */
  calls(): number;
  /** The attempt's own bound for which a call was refused, or null. */
  exhausted(): string | null;
  /** The shared budget for which a call was refused, or null. */
  usedUp(): string | null;
  /** Why the newest call got no answer from a backend, or null. */
  unavailable(): string | null;
}

/** An agent asks one thing at a time. More calls at once could spend more than the limits before any is charged. */
const MAX_CALLS_AT_ONCE = 4;

/** `onRevoke` is called when the key is disposed. */
export function createAttemptKey(order: KeyOrder, onRevoke: (key: string) => void): AttemptKey {
  const { limits } = order;
  const key = `swt_${randomBytes(24).toString("base64url")}`;
  let used: Usage = NO_USAGE;
  let [calls, open, charged] = [0, 0, 0];
  let exhausted: string | null = null;
  let usedUp: string | null = null;
  let unavailable: string | null = null;
  const reachedLimit = (): string | null => {
    if (used.tokensIn + used.tokensOut >= limits.tokens)
      return `the limit of ${limits.tokens} tokens was reached`;
    if (limits.costUsd > 0 && used.costUsd >= limits.costUsd)
      return `the limit of ${limits.costUsd} USD was reached`;
    if (calls >= limits.turns) return `the limit of ${limits.turns} turns was reached`;
    return null;
  };
  const exhaust = (level: BudgetLevel, why: string) => {
    if (exhausted === null && usedUp === null) order.onExhausted?.(why, level);
    if (level === "task") exhausted = why;
    else usedUp = why;
  };
  const withdraw = () => {
    calls -= 1;
    open -= 1;
  };
  return {
    key,
    ids: order.ids,
    role: order.role,
    budget: order.budget,
    begin() {
      const why = reachedLimit();
      if (why !== null) {
        exhaust("task", why);
        return { kind: "exhausted", why };
      }
      if (open >= MAX_CALLS_AT_ONCE) return { kind: "crowded" };
      calls += 1;
      open += 1;
      return { kind: "open" };
    },
    withdraw,
    forbid(level, why) {
      withdraw();
      exhaust(level, why);
    },
    charge(usage, why) {
      open -= 1;
      unavailable = why ?? null;
      used = addUsage(used, usage);
      if (usage.tokensIn + usage.tokensOut === 0) return;
      // Not the number of calls begun, which two calls at once would share.
      charged += 1;
      order.onCharge?.(usage, charged);
    },
    usage: () => {
      const { tokensIn, tokensOut, tokensCached, costUsd } = used;
      return { tokensIn, tokensOut, tokensCached, costUsd };
    },
    calls: () => calls,
    exhausted: () => exhausted,
    usedUp: () => usedUp,
    unavailable: () => unavailable,
    [Symbol.dispose]: () => onRevoke(key),
  };
}
