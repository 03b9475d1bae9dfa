import type { Mirror } from "@agentswarm/git";
import { fitTokens } from "@agentswarm/llm";

const RECENT_COMMITS = 20;
const DOCUMENTS = ["AGENTS.md", "SPEC.md", "FEATURES.json", "README.md"];
/** Shares of the token budget. A share that is not used up is not given to another part. */
const SHARE = { files: 0.3, commits: 0.1, document: 0.15 };

/** The survey of the target for prompts: its files, recent commits and documents, cut to a token budget. */
export async function surveyTarget(mirror: Mirror, tokens: number): Promise<string> {
  await mirror.fetch();
  const head = await mirror.head();
  const files = await mirror.listFiles(head);
  const commits = await mirror.recentCommits(head, RECENT_COMMITS);
  const parts = [
    `### Files\n${fitTokens(files.join("\n"), tokens * SHARE.files)}`,
    `### Recent commits\n${fitTokens(commits.map((one) => `${one.commit.slice(0, 10)} ${one.title}`).join("\n"), tokens * SHARE.commits)}`,
  ];
  for (const name of DOCUMENTS) {
    const text = await mirror.readFile(head, name);
    if (text !== null) parts.push(`### ${name}\n${fitTokens(text, tokens * SHARE.document)}`);
  }
  return parts.join("\n\n");
}
