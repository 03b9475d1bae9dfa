import type { z } from "zod";
import { Fault } from "@agentswarm/contracts";

/**
 * Reads settings from an environment. An empty value counts as not set, so that `NAME=` in a .env file means the
 * default. Throws a Fault `config.invalid` that names every setting at fault at once.
 */
export function parseEnv<S extends z.ZodType>(schema: S, env: NodeJS.ProcessEnv): z.infer<S> {
  const given = Object.fromEntries(
    Object.entries(env).filter(([, value]) => value !== undefined && value !== ""),
  );
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map((issue) => {
    const name = String(issue.path[0] ?? "settings");
    return given[name] === undefined ? `${name} is not set: ${issue.message}` : `${name}: ${issue.message}`;
  });
  throw new Fault("config.invalid", `Settings to change:\n  ${lines.join("\n  ")}`);
}
