import { PLACEHOLDER, type AgentPlaceholder } from "@agentswarm/contracts";

/** Values of placeholders. A placeholder without a value becomes the empty text. */
export type TemplateValues = Readonly<Partial<Record<AgentPlaceholder, string | number>>>;

type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };

export function fillText(text: string, values: TemplateValues): string {
  return text.replace(PLACEHOLDER, (_, name: AgentPlaceholder) => String(values[name] ?? ""));
}

/**
 * Fills the placeholders in all texts and names of a JSON value. The value is filled before it is serialized, so no
 * placeholder's value can change the structure. A text that is only one placeholder of a number becomes that number.
 */
export function fillJson(json: Json, values: TemplateValues): Json {
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
