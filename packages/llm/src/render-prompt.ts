import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { Fault } from "@agentswarm/contracts";

const frontSchema = z.strictObject({ variables: z.array(z.string()) });

/**
 * Renders `<dir>/<name>.md`, whose front matter declares its variables. Throws Fault `internal` for a missing or unknown
 * variable, so that a prompt and its caller stay consistent.
 */
export async function renderPrompt(
  dir: string,
  name: string,
  variables: Readonly<Record<string, string>>,
): Promise<string> {
  const file = join(dir, `${name}.md`);
  return fillPrompt(file, await readFile(file, "utf8"), variables);
}

export function fillPrompt(file: string, text: string, variables: Readonly<Record<string, string>>): string {
  const [, front, body] = /^---\n([\s\S]*?)\n---\n([\s\S]*)$/.exec(text) ?? [];
  if (front === undefined || body === undefined) throw new Fault("internal", `${file} has no front matter`);
  const declared = new Set(frontSchema.parse(parse(front)).variables);
  const used = new Set([...body.matchAll(/\{\{(\w+)\}\}/g)].map((match) => match[1] ?? ""));
  for (const name of [...declared, ...used]) {
    if (variables[name] === undefined) throw new Fault("internal", `${file}: variable ${name} was not given`);
    if (!declared.has(name)) throw new Fault("internal", `${file}: variable ${name} is not declared`);
  }
  for (const given of Object.keys(variables)) {
    if (!declared.has(given)) throw new Fault("internal", `${file} has no variable ${given}`);
  }
  return body.replaceAll(/\{\{(\w+)\}\}/g, (_, variable: string) => variables[variable] ?? "").trim();
}
