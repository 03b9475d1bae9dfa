import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { Fault } from "@agentswarm/contracts";

const frontSchema = z.strictObject({ variables: z.array(z.string()) });

/**
 * Renders `<dir>/<name>.md`. Its front matter declares the variables; a missing or unknown one is Fault `internal`,
 * so that a prompt and its caller cannot drift apart unnoticed.
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
  for (const wanted of [...declared, ...used]) {
    if (variables[wanted] === undefined)
      throw new Fault("internal", `${file}: variable ${wanted} was not given`);
    if (!declared.has(wanted)) throw new Fault("internal", `${file}: variable ${wanted} is not declared`);
  }
  for (const given of Object.keys(variables)) {
    if (!declared.has(given)) throw new Fault("internal", `${file} has no variable ${given}`);
  }
  return body.replaceAll(/\{\{(\w+)\}\}/g, (_, variable: string) => variables[variable] ?? "").trim();
}
