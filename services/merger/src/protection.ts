import type { MergeRequest } from "@agentswarm/contracts";
import type { Mirror } from "@agentswarm/git";
import type { ProtectionFacts } from "./decide.ts";

/** What an attempt does to what people want to look at, read off its commits. */
export async function readProtectionFacts(
  mirror: Mirror,
  { baseCommit, headCommit }: MergeRequest,
  protectedPaths: readonly string[],
): Promise<ProtectionFacts> {
  const changed = await mirror.changedPaths(baseCommit, headCommit);
  const left = new Set(await mirror.listFiles(headCommit));
  return {
    changed,
    deleted: changed.filter((path) => !left.has(path)),
    protectedPaths,
    scriptsBefore: await scriptsOf(mirror, baseCommit),
    scriptsAfter: await scriptsOf(mirror, headCommit),
  };
}

async function scriptsOf(mirror: Mirror, commit: string): Promise<string> {
  const text = await mirror.readFile(commit, "package.json");
  if (text === null) return "";
  try {
    return JSON.stringify((JSON.parse(text) as { scripts?: object }).scripts ?? {});
  } catch {
    return text;
  }
}
