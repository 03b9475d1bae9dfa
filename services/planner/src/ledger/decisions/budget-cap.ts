import { budgetSchema, type Budget } from "@agentswarm/contracts";

/** The cap that a person wrote: `20`, `$20`, `20 USD` or `5000000 tokens`. Null: it is none. */
export function capOf(text: string): Budget | null {
  const [, dollars, tokens] = /^\s*(?:\$?\s*(\d+(?:\.\d+)?)(?:\s*usd)?|(\d+)\s*tokens)\s*$/i.exec(text) ?? [];
  const cap = dollars === undefined ? { tokens: Number(tokens) } : { usd: Number(dollars) };
  return budgetSchema.safeParse(cap).data ?? null;
}

/** The cap that a question about a budget says is used up. Example: `FEATURE_BUDGET_USD=5 is used up`. */
export function usedUpCap(ask: string): { readonly unit: "usd" | "tokens"; readonly cap: number } | null {
  const [, unit, cap] = /budget[._](usd|tokens)=([\d.]+)/i.exec(ask) ?? [];
  if (unit === undefined) return null;
  return { unit: unit.toLowerCase() === "usd" ? "usd" : "tokens", cap: Number(cap) };
}
