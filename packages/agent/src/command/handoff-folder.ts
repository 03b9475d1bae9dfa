import { lstat, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { agentClaimSchema, type AgentClaim } from "@agentswarm/contracts";

/** Beside the repository: what is in here is never committed. */
export interface HandoffFolder {
  readonly handoffFile: string;
  readonly promptFile: string;
  /** Begins a prompt: writes it down, and takes away what was handed over before. */
  begin(prompt: string): Promise<void>;
  /** What was handed over; `problem` says why a file that is there does not count. */
  read(): Promise<{ claim: AgentClaim | null; problem: string | null }>;
}

const MAX_HANDOFF_BYTES = 256 * 1024;

export async function openHandoffFolder(workDir: string): Promise<HandoffFolder> {
  const dir = join(workDir, "handoff");
  await mkdir(dir, { recursive: true });
  const [handoffFile, promptFile] = [join(dir, "handoff.json"), join(dir, "prompt.md")];
  return {
    handoffFile,
    promptFile,
    async begin(prompt) {
      await rm(handoffFile, { recursive: true, force: true });
      await writeFile(promptFile, prompt);
    },
    async read() {
      const found = await lstat(handoffFile).catch(() => null);
      if (found === null) return { claim: null, problem: null };
      if (!found.isFile()) return { claim: null, problem: "handoff.json is no file" };
      if (found.size > MAX_HANDOFF_BYTES) return { claim: null, problem: "handoff.json is too large" };
      return readClaim(await readFile(handoffFile, "utf8"));
    },
  };
}

function readClaim(text: string): { claim: AgentClaim | null; problem: string | null } {
  try {
    const parsed = agentClaimSchema.safeParse(JSON.parse(text));
    if (parsed.success) return { claim: parsed.data, problem: null };
    return { claim: null, problem: `handoff.json does not fit: ${parsed.error.message.slice(0, 500)}` };
  } catch (error) {
    return { claim: null, problem: `handoff.json is no JSON: ${String(error).slice(0, 200)}` };
  }
}
