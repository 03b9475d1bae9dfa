import { z } from "zod";
import { Fault } from "@agentswarm/contracts";
import type { Environment } from "./environment.ts";
import { isSecretSetting } from "./secrets.ts";

/**
 * Reads settings from an environment. An empty or blank value counts as not set, so that `NAME=` in a .env file means
 * the default. Throws a Fault `config.invalid` that lists every invalid setting with its present value and the values
 * that are allowed.
 */
export function parseEnv<S extends z.ZodType>(schema: S, env: Environment): z.infer<S> {
  const given = Object.fromEntries(
    Object.entries(env).filter(([, value]) => value !== undefined && value.trim() !== ""),
  );
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map(({ path, message }) => {
    const name = String(path[0] ?? "");
    if (name === "") return message;
    const meaning = descriptionOf(schema, name);
    return `${name} ${stateOf(name, given[name])}: ${message}${meaning === undefined ? "" : ` (${meaning})`}`;
  });
  throw new Fault("config.invalid", `Settings to change:\n  ${lines.join("\n  ")}`);
}

function stateOf(name: string, value: string | undefined): string {
  if (value === undefined) return "is not set";
  // A URL may hold a password.
  return isSecretSetting(name) || value.includes("@") ? "is set" : `is ${JSON.stringify(value.slice(0, 80))}`;
}

function descriptionOf(schema: z.ZodType, name: string): string | undefined {
  return schema instanceof z.ZodObject
    ? (schema.shape[name] as z.ZodType | undefined)?.description
    : undefined;
}
