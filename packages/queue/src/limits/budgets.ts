import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Budget, BudgetHandle, BudgetReservation, UsedUp } from "@agentswarm/contracts";
import type { QueueConnection } from "../connect.ts";
import { asFault } from "../redis-fault.ts";
import type { BudgetCaps } from "../settings.ts";
import { levelsOf, sayUsedUp, type Level, type Purpose } from "./budget-levels.ts";
import { READ, RENEW, RESERVE, SET_CAP, SETTLE } from "./budget-scripts.ts";

interface Amount {
  readonly costUsd: number;
  /** Prompt and completion tokens together. */
  readonly tokens: number;
}

/** How one budget stands. */
export interface BudgetState {
  readonly cap: Budget;
  readonly spent: Amount;
  /** Set aside for calls that are under way. */
  readonly reserved: Amount;
  /** Which cap is used up; null while there is something left. */
  readonly usedUp: UsedUp | null;
}

/** What the swarm, its features and attempts may spend, over all replicas together. */
export interface Budgets extends Disposable {
  of(purpose: Purpose): BudgetHandle;
  /** How the swarm's budget and, if one is named, a feature's stand. */
  read(featureId?: string): Promise<{ swarm: BudgetState; feature: BudgetState | null }>;
  /** Which budget leaves nothing for a feature, or null. */
  usedUp(featureId: string): Promise<UsedUp | null>;
  /** Gives a feature caps of its own, which go before FEATURE_BUDGET_*; an older version than the last is ignored. */
  setFeatureCap(featureId: string, cap: Budget, version: number): Promise<void>;
}

/** A process that does not renew a reservation for so long is dead. */
const TTL_MS = 60_000;
const POLL_MS = 100;
/** Sums are kept in whole billionths of a dollar. */
const NANO = 1_000_000_000;

export function openBudgets(
  connection: QueueConnection,
  caps: BudgetCaps,
  options: { ttlMs?: number; pollMs?: number } = {},
): Budgets {
  const { redis } = connection;
  const { ttlMs = TTL_MS, pollMs = POLL_MS } = options;
  const run = (script: string, levels: readonly Level[], args: readonly (string | number)[]) => {
    const keys = levels.flatMap(({ name }) => [
      connection.key("budget", name),
      connection.key("budget", name, "reserved"),
    ]);
    return redis.eval(script, keys.length, ...keys, ...args);
  };

  /** A server that is full or failing over takes no reservation for now, which is nobody's failure but its own. */
  const unlessItPasses = (error: unknown): string[] => {
    if (connection.closed.aborted || !asFault(error).retryable) throw error;
    connection.report(error as Error);
    return ["busy"];
  };

  /** Reservations of this process that are not settled yet, with how to. */
  const open = new Map<string, () => Promise<unknown>>();
  const tick = () => {
    for (const act of open.values()) act().catch(connection.report);
  };
  const timer = setInterval(tick, ttlMs / 3);
  timer.unref();

  const granted = (levels: readonly Level[], reservation: string): BudgetReservation => {
    open.set(reservation, () => run(RENEW, levels, [reservation, ttlMs]));
    let settled = false;
    return {
      kind: "granted",
      async commitReservation({ costUsd, tokensIn, tokensOut }) {
        if (settled) return;
        settled = true;
        const settle = async () => {
          await run(SETTLE, levels, [reservation, toNano(costUsd), Math.round(tokensIn + tokensOut)]);
          open.delete(reservation);
        };
        // What Redis refuses for now is told again with the renewals; settled twice is settled once.
        open.set(reservation, settle);
        await settle().catch(connection.report);
      },
    };
  };

  const budgets: Budgets = {
    of(purpose) {
      const levels = levelsOf(caps, purpose);
      return {
        async reserve(estimate, signal) {
          const tokens = Math.round(estimate.tokens);
          const reservation = `${randomUUID()}|${toNano(estimate.costUsd)}|${tokens}`;
          const args = [reservation, ttlMs, ...levels.flatMap(asArguments)];
          for (;;) {
            signal?.throwIfAborted();
            const answer = (await run(RESERVE, levels, args).catch(unlessItPasses)) as string[];
            if (answer[0] === "granted") return granted(levels, reservation);
            if (answer[0] === "exhausted") return readRefusal(levels, answer);
            await sleep(pollMs, undefined, signal === undefined ? {} : { signal });
          }
        },
      };
    },
    async read(featureId) {
      const levels = levelsOf(caps, featureId === undefined ? {} : { featureId });
      const found = (await run(READ, levels, [])) as string[][];
      const [swarm, feature] = levels.map((level, nth) => readState(level, found[nth] ?? []));
      return { swarm: swarm as BudgetState, feature: feature ?? null };
    },
    async usedUp(featureId) {
      const { swarm, feature } = await budgets.read(featureId);
      return swarm.usedUp ?? feature?.usedUp ?? null;
    },
    async setFeatureCap(featureId, { usd, tokens }, version) {
      const levels = levelsOf({}, { featureId }).slice(1);
      await run(SET_CAP, levels, [version, usd === undefined ? "" : toNano(usd), tokens ?? ""]);
    },
    [Symbol.dispose]: () => clearInterval(timer),
  };
  return budgets;
}

function toNano(usd: number): string {
  return String(Math.round(usd * NANO));
}

function asArguments({ cap, keepMs }: Level): (string | number)[] {
  return [cap.usd === undefined ? "" : toNano(cap.usd), cap.tokens ?? "", keepMs ?? ""];
}

function readRefusal(levels: readonly Level[], answer: readonly string[]): BudgetReservation {
  const [, nth, nthUnit, cap, spent, own] = answer;
  const level = levels[Number(nth) - 1]?.level ?? "swarm";
  const [unit, per] = nthUnit === "1" ? (["usd", NANO] as const) : (["tokens", 1] as const);
  const why = sayUsedUp(level, {
    unit,
    cap: Number(cap) / per,
    spent: Number(spent) / per,
    own: own === "own",
  });
  return { kind: "exhausted", level, why };
}

function readState(level: Level, found: readonly string[]): BudgetState {
  const [usd = "", tokens = "", heldUsd = "", heldTokens = "", ownUsd = "", ownTokens = ""] = found;
  const spent = { costUsd: Number(usd) / NANO, tokens: Number(tokens) };
  const capUsd = ownUsd === "" ? level.cap.usd : Number(ownUsd) / NANO;
  const capTokens = ownTokens === "" ? level.cap.tokens : Number(ownTokens);
  const say = (unit: "usd" | "tokens", cap: number | undefined, amount: number, own: boolean) =>
    cap === undefined || amount < cap
      ? null
      : { level: level.level, why: sayUsedUp(level.level, { unit, cap, spent: amount, own }) };
  return {
    cap: {
      ...(capUsd === undefined ? {} : { usd: capUsd }),
      ...(capTokens === undefined ? {} : { tokens: capTokens }),
    },
    spent,
    reserved: { costUsd: Number(heldUsd) / NANO, tokens: Number(heldTokens) },
    usedUp:
      say("usd", capUsd, spent.costUsd, ownUsd !== "") ??
      say("tokens", capTokens, spent.tokens, ownTokens !== ""),
  };
}
