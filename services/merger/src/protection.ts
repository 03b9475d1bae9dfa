import type { LandingEngine } from "@agentswarm/git";
import type { MergeRequest } from "@agentswarm/contracts";
import type { ProtectionFacts } from "./decide.ts";

/** What an attempt does to what people want to look at, read off its commits. */
export async function readProtectionFacts(
  engine: LandingEngine,
  { baseCommit, headCommit }: MergeRequest,
  protectedPaths: readonly string[],
): Promise<ProtectionFacts> {
  const changes = await engine.changes(baseCommit, headCommit);
  const pathsOf = (kinds: readonly string[]) =>
    changes.filter((one) => kinds.includes(one.kind)).map((one) => one.path);
  const touchesScripts = changes.some((one) => one.path === "package.json");
  return {
    changed: pathsOf(["added", "changed", "deleted"]),
    deleted: pathsOf(["deleted"]),
    protectedPaths,
    scriptsBefore: touchesScripts ? await scriptsOf(engine, baseCommit) : "",
    scriptsAfter: touchesScripts ? await scriptsOf(engine, headCommit) : "",
  };
}

async function scriptsOf(engine: LandingEngine, commit: string): Promise<string> {
  const text = await engine.readFile(commit, "package.json");
  if (text === null) return "";
  try {
    return JSON.stringify((JSON.parse(text) as { scripts?: object }).scripts ?? {});
  } catch {
    return text;
  }
}
