import { PLACEHOLDER, type AgentPlaceholder } from "@agentswarm/contracts";

/** What is put in for placeholders; one that is not known yet becomes the empty text. */
export type Values = Readonly<Partial<Record<AgentPlaceholder, string | number>>>;

type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };

export function fillText(text: string, values: Values): string {
  return text.replace(PLACEHOLDER, (_, name: AgentPlaceholder) => String(values[name] ?? ""));
}

/**
 * Fills the texts within a JSON value, names included, so that no value can break out of its place. A text that is
 * one placeholder of a number becomes that number.
 */
export function fillJson(json: Json, values: Values): Json {
  if (typeof json === "string") {
    const name = /^\{\{(\w+)\}\}$/.exec(json)?.[1] as AgentPlaceholder | undefined;
    const value = name === undefined ? undefined : values[name];
    return typeof value === "number" ? value : fillText(json, values);
  }
  if (Array.isArray(json)) return json.map((item: Json) => fillJson(item, values));
  if (typeof json !== "object" || json === null) return json;
  return Object.fromEntries(
    Object.entries(json).map(([name, value]) => [fillText(name, values), fillJson(value as Json, values)]),
  );
}
