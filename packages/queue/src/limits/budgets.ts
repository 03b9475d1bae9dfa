import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import {
  asFault,
  type Budget,
  type BudgetHandle,
  type BudgetReservation,
  type UsedUp,
} from "@agentswarm/contracts";
import type { QueueConnection } from "../connect.ts";
import type { BudgetCaps } from "../settings.ts";
import { levelsOf, describeUsedUp, type Level, type Purpose } from "./budget-levels.ts";
import { READ, RENEW, RESERVE, SET_CAP, COMMIT } from "./budget-scripts.ts";

interface Amount {
  readonly costUsd: number;
  /** Prompt and completion tokens together. */
  readonly tokens: number;
}

/** The state of one budget. */
export interface BudgetState {
  readonly cap: Budget;
  readonly spent: Amount;
  /** Reserved for calls that are under way. */
  readonly reserved: Amount;
  /** The cap that is used up, or null. */
  readonly usedUp: UsedUp | null;
}

/** The budgets of the swarm, its features and attempts, over all replicas together. */
export interface Budgets extends Disposable {
  of(purpose: Purpose): BudgetHandle;
  /** The state of the swarm's budget and, when one is named, of a feature's. */
  read(featureId?: string): Promise<{ swarm: BudgetState; feature: BudgetState | null }>;
  /** The used-up budget that keeps a feature from model calls, or null. */
  usedUp(featureId: string): Promise<UsedUp | null>;
  /** Sets caps of one feature, which take precedence over FEATURE_BUDGET_*; a version older than the last is ignored. */
  setFeatureCap(featureId: string, cap: Budget, version: number): Promise<void>;
  /** Removes the budget of a feature that nobody works on any more: its cap and what it has spent. */
  forgetFeature(featureId: string): Promise<void>;
}

/** A process that does not renew a reservation for so long counts as dead. */
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

  /** A server that is full or failing over refuses reservations for a while: retry. */
  const retryIfTransient = (error: unknown): string[] => {
    if (connection.closed.aborted || !asFault(error).retryable) throw error;
    connection.report(error as Error);
    return ["busy"];
  };

  /** Open reservations of this process, each with the call that renews or commits it. */
  const open = new Map<string, () => Promise<unknown>>();
  const tick = () => {
    for (const act of open.values()) act().catch(connection.report);
  };
  const timer = setInterval(tick, ttlMs / 3);
  timer.unref();

  const granted = (levels: readonly Level[], reservation: string): BudgetReservation => {
    open.set(reservation, () => run(RENEW, levels, [reservation, ttlMs]));
    let committed = false;
    return {
      kind: "granted",
      async commitReservation({ costUsd, tokensIn, tokensOut }) {
        if (committed) return;
        committed = true;
        const commit = async () => {
          await run(COMMIT, levels, [reservation, toNano(costUsd), Math.round(tokensIn + tokensOut)]);
          open.delete(reservation);
        };
        // A commit that Redis refuses is retried with the renewals; a second commit has no effect.
        open.set(reservation, commit);
        await commit().catch(connection.report);
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
            const answer = (await run(RESERVE, levels, args).catch(retryIfTransient)) as string[];
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
    async forgetFeature(featureId) {
      const [, level] = levelsOf({}, { featureId });
      if (level === undefined) return;
      const { name } = level;
      await redis.del(connection.key("budget", name), connection.key("budget", name, "reserved"));
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
  const why = describeUsedUp(level, {
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
      : { level: level.level, why: describeUsedUp(level.level, { unit, cap, spent: amount, own }) };
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
