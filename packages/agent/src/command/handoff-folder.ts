import { lstat, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { agentClaimSchema, type AgentClaim } from "@agentswarm/contracts";
import { CLAIM_FIELDS } from "../prompts.ts";

/** The folder beside the repository where a program writes its claim. Its files are never committed. */
export interface HandoffFolder {
  readonly handoffFile: string;
  readonly promptFile: string;
  /** Tells the program how to hand over: the end of every prompt. */
  readonly instructions: string;
  /** Starts a prompt: writes the prompt file and deletes the handoff of the prompt before. */
  begin(prompt: string): Promise<void>;
  /** The claim in the handoff file, or null. `problem` says why an existing file is ignored. */
  read(): Promise<{ claim: AgentClaim | null; problem: string | null }>;
}

const MAX_HANDOFF_BYTES = 256 * 1_024;

export async function openHandoffFolder(workDir: string): Promise<HandoffFolder> {
  const dir = join(workDir, "handoff");
  await mkdir(dir, { recursive: true });
  const [handoffFile, promptFile] = [join(dir, "handoff.json"), join(dir, "prompt.md")];
  return {
    handoffFile,
    promptFile,
    instructions: handoffInstructions(handoffFile),
    async begin(prompt) {
      await rm(handoffFile, { recursive: true, force: true });
      await writeFile(promptFile, prompt);
    },
    async read() {
      const found = await lstat(handoffFile).catch(() => null);
      if (found === null) return { claim: null, problem: null };
      if (!found.isFile()) return { claim: null, problem: "handoff.json is not a regular file" };
      if (found.size > MAX_HANDOFF_BYTES) {
        const problem = `handoff.json has ${found.size} bytes; the limit is ${MAX_HANDOFF_BYTES}`;
        return { claim: null, problem };
      }
      return readClaim(await readFile(handoffFile, "utf8"));
    },
  };
}

function readClaim(text: string): { claim: AgentClaim | null; problem: string | null } {
  try {
    const parsed = agentClaimSchema.safeParse(JSON.parse(text));
    if (parsed.success) return { claim: parsed.data, problem: null };
    return { claim: null, problem: `handoff.json is invalid: ${parsed.error.message.slice(0, 500)}` };
  } catch (error) {
    return { claim: null, problem: `handoff.json is not JSON: ${String(error).slice(0, 200)}` };
  }
}

function handoffInstructions(handoffFile: string): string {
  const fields = Object.entries(CLAIM_FIELDS).map(([name, description]) => `- ${name}: ${description}.`);
  return `## How you hand over

You have no \`submit\` tool. Wherever these instructions say to call \`submit\`, write the file ${handoffFile} instead, and then end. The file lies outside the repository and contains JSON:

{"outcome": "complete", "summary": "...", "did": ["..."], "deviations": ["..."], "concerns": ["..."], "suggestions": ["..."]}

${fields.join("\n")}

Nobody can answer questions. Do not commit.`;
}
