/** How an agent without a `submit` tool hands over. */
export function handOverPrompt(handoffFile: string): string {
  return `## How you hand over

You have no \`submit\` tool. Wherever \`submit\` is spoken of, write the file ${handoffFile} instead, and then end. It lies outside the repository and is JSON:

{"outcome": "complete, partial, blocked or failed", "summary": "what was done, in a few sentences", "did": ["..."], "deviations": ["..."], "concerns": ["..."], "suggestions": ["..."]}

Nobody can answer questions. Do not commit.`;
}
