import { mkdir, writeFile } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import type { AgentTemplate } from "@agentswarm/contracts";
import { fillJson, fillText, type Values } from "./fill-template.ts";

/** Writes the template's files into the home of the agent's own. */
export async function writeHome({ files }: AgentTemplate, homeDir: string, values: Values): Promise<void> {
  await mkdir(homeDir, { recursive: true });
  for (const { path, content } of files) {
    const file = join(homeDir, path);
    await mkdir(dirname(file), { recursive: true });
    const text =
      typeof content === "string" ? fillText(content, values) : JSON.stringify(fillJson(content, values));
    await writeFile(file, text);
  }
}

/** All of the agent's environment: where programs are, a home, and what its template names. */
export function agentEnvironment(
  template: AgentTemplate,
  dirs: { homeDir: string; agentDir: string },
  values: Values,
): Record<string, string> {
  const { agentDir } = dirs;
  const own = [join(agentDir, "bin"), join(agentDir, "node_modules/.bin"), agentDir];
  const named = Object.entries(template.env).map(([name, text]) => [name, fillText(text, values)]);
  return {
    PATH: [...own, process.env["PATH"] ?? ""].join(delimiter),
    HOME: dirs.homeDir,
    TMPDIR: process.env["TMPDIR"] ?? "/tmp",
    LANG: "C.UTF-8",
    ...(Object.fromEntries(named) as Record<string, string>),
  };
}
