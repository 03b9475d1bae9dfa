import { mkdir, writeFile } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import type { AgentTemplate } from "@agentswarm/contracts";
import { fillJson, fillText, type TemplateValues } from "./fill-template.ts";

/** Writes the template's files into the program's own home folder. */
export async function writeHome(
  { files }: AgentTemplate,
  homeDir: string,
  values: TemplateValues,
): Promise<void> {
  await mkdir(homeDir, { recursive: true });
  for (const { path, content } of files) {
    const file = join(homeDir, path);
    await mkdir(dirname(file), { recursive: true });
    const text =
      typeof content === "string" ? fillText(content, values) : JSON.stringify(fillJson(content, values));
    await writeFile(file, text);
  }
}

/** The whole environment of the program: PATH, HOME, TMPDIR, LANG and the variables of the template. */
export function agentEnvironment(
  template: AgentTemplate,
  { homeDir, agentDir }: { homeDir: string; agentDir: string },
  values: TemplateValues,
): Record<string, string> {
  const own = [join(agentDir, "bin"), join(agentDir, "node_modules/.bin"), agentDir];
  const named = Object.entries(template.env).map(([name, text]) => [name, fillText(text, values)] as const);
  return {
    PATH: [...own, process.env["PATH"] ?? ""].join(delimiter),
    HOME: homeDir,
    TMPDIR: process.env["TMPDIR"] ?? "/tmp",
    LANG: "C.UTF-8",
    ...Object.fromEntries(named),
  };
}
