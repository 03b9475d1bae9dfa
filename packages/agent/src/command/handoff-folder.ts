import { lstat, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import {
  agentClaimSchema,
  agentQuestionSchema,
  type AgentClaim,
  type AgentQuestion,
} from "@agentswarm/contracts";
import type { z } from "zod";
import { CLAIM_FIELDS, QUESTION_FIELDS } from "../prompts.ts";

/** The folder beside the repository where a program writes its claim or its question. Its files are never committed. */
export interface HandoffFolder {
  readonly handoffFile: string;
  readonly promptFile: string;
  /** Tells the program how to hand over: the end of every prompt. */
  readonly instructions: string;
  /** Starts a prompt: writes the prompt file and deletes the handoff and the question of the prompt before. */
  begin(prompt: string): Promise<void>;
  /** The claim in the handoff file, or null. `problem` says why an existing file is ignored. */
  read(): Promise<{ claim: AgentClaim | null; problem: string | null }>;
  /** The question in the question file; null when there is none, or it cannot be read. */
  readQuestion(): Promise<AgentQuestion | null>;
}

const MAX_FILE_BYTES = 256 * 1_024;

export async function openHandoffFolder(workDir: string): Promise<HandoffFolder> {
  const dir = join(workDir, "handoff");
  await mkdir(dir, { recursive: true });
  const [handoffFile, promptFile] = [join(dir, "handoff.json"), join(dir, "prompt.md")];
  const questionFile = join(dir, "question.json");
  return {
    handoffFile,
    promptFile,
    instructions: handoffInstructions(handoffFile, questionFile),
    async begin(prompt) {
      for (const file of [handoffFile, questionFile]) await rm(file, { recursive: true, force: true });
      await writeFile(promptFile, prompt);
    },
    async read() {
      const { value, problem } = await readJsonFile(handoffFile, agentClaimSchema);
      return { claim: value, problem };
    },
    readQuestion: async () => (await readJsonFile(questionFile, agentQuestionSchema)).value,
  };
}

/** What a program wrote into a file; null without a file, and with the problem when the file is ignored. */
async function readJsonFile<T>(
  file: string,
  schema: z.ZodType<T>,
): Promise<{ value: T | null; problem: string | null }> {
  const name = basename(file);
  const found = await lstat(file).catch(() => null);
  if (found === null) return { value: null, problem: null };
  if (!found.isFile()) return { value: null, problem: `${name} is not a regular file` };
  if (found.size > MAX_FILE_BYTES)
    return { value: null, problem: `${name} has ${found.size} bytes; the limit is ${MAX_FILE_BYTES}` };
  try {
    const parsed = schema.safeParse(JSON.parse(await readFile(file, "utf8")));
    if (parsed.success) return { value: parsed.data, problem: null };
    return { value: null, problem: `${name} is invalid: ${parsed.error.message.slice(0, 500)}` };
  } catch (error) {
    return { value: null, problem: `${name} is not JSON: ${String(error).slice(0, 200)}` };
  }
}

function handoffInstructions(handoffFile: string, questionFile: string): string {
  const list = (fields: Readonly<Record<string, string>>) =>
    Object.entries(fields)
      .map(([name, description]) => `- ${name}: ${description}.`)
      .join("\n");
  return `## How you hand over

You have no \`submit\` tool. Wherever these instructions say to call \`submit\`, write the file ${handoffFile} instead, and then end. The file lies outside the repository and contains JSON:

{"outcome": "complete", "summary": "...", "did": ["..."], "deviations": ["..."], "concerns": ["..."], "suggestions": ["..."]}

${list(CLAIM_FIELDS)}

You have no \`ask\` tool either. To ask people a question, write the file ${questionFile} instead of the handoff, and then end; the answer is your next prompt. It contains JSON:

{"question": "...", "options": ["...", "..."], "default": "...", "why": "..."}

${list(QUESTION_FIELDS)}

Do not commit.`;
}
