import { z } from "zod";
import { amountSchema, type Amount, type Cost } from "@agentswarm/contracts";

/** The costs of model calls: by role, and within that by backend. */
export const costTableSchema = z.record(z.string(), z.record(z.string(), amountSchema));
export type CostTable = z.infer<typeof costTableSchema>;

/** The part of a `model.used` event that counts here. */
interface CountedUsage {
  readonly role: string;
  readonly backend?: string | undefined;
  readonly tokensIn: number;
  readonly tokensOut: number;
  readonly costUsd: number;
}

/** Bound for the names on each axis, as a table is kept for as long as its feature or task. */
const MAX_NAMES = 32;
const OTHER = "other";

/** The table after the data of a `model.used` event. Call it once per event. */
export function addCost(table: CostTable, used: CountedUsage): CostTable {
  const { tokensIn, tokensOut, costUsd } = used;
  const role = nameIn(table, used.role);
  const backends = table[role] ?? {};
  const backend = nameIn(backends, used.backend ?? "unknown");
  const sum = add(backends[backend], { usd: costUsd, tokens: tokensIn + tokensOut });
  return { ...table, [role]: { ...backends, [backend]: sum } };
}

function nameIn(known: object, name: string): string {
  const plain = /^[\w.:-]{1,100}$/.test(name);
  // Every object inherits a `toString`, which is not a sum.
  if (!plain || name in {}) return OTHER;
  return Object.hasOwn(known, name) || Object.keys(known).length < MAX_NAMES ? name : OTHER;
}

/** The sums of a table as the REST API shows them. */
export function sumUp(table: CostTable): Cost {
  let all: Amount = { usd: 0, tokens: 0 };
  const byRole: Record<string, Amount> = {};
  const byBackend: Record<string, Amount> = {};
  for (const [role, backend, amount] of entriesOf(table)) {
    all = add(all, amount);
    byRole[role] = add(byRole[role], amount);
    byBackend[backend] = add(byBackend[backend], amount);
  }
  return { ...all, byRole, byBackend };
}

export function entriesOf(table: CostTable): [role: string, backend: string, amount: Amount][] {
  return Object.entries(table).flatMap(([role, backends]) =>
    Object.entries(backends).map(([backend, amount]): [string, string, Amount] => [role, backend, amount]),
  );
}

function add(a: Amount | undefined, b: Amount): Amount {
  return a === undefined ? b : { usd: a.usd + b.usd, tokens: a.tokens + b.tokens };
}
