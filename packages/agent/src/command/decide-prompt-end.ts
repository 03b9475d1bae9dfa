import { agentClaimSchema, type AgentClaim } from "@agentswarm/contracts";
import type { PromptEnd } from "../session.ts";
import type { ProgramEnd } from "./start-program.ts";

/** Everything that is known after one run of the agent's program. */
export interface CommandRunFacts {
  readonly program: string;
  readonly end: ProgramEnd;
  /** The content of handoff.json; null when the file is missing or ignored. */
  readonly claim: AgentClaim | null;
  /** Why handoff.json is ignored, or null. */
  readonly problem: string | null;
  /** How the runner ended the program; null when the program ended by itself. */
  readonly stopped: PromptEnd | null;
  readonly lastMessage: string;
  readonly lastError: string;
}

const MAX_SUMMARY_CHARS = 10_000;

/** Decides how a prompt ended. A handoff counts first, because the checks judge the work afterwards. */
export function decidePromptEnd(facts: CommandRunFacts): PromptEnd {
  const { end, claim, stopped } = facts;
  if (end.notStarted !== null)
    return { kind: "failed", reason: whyNotStarted(facts.program, end.notStarted) };
  if (claim !== null) return { kind: "submitted", claim };
  if (stopped !== null) return stopped;
  if (end.code !== 0) return { kind: "failed", reason: whyFailed(facts) };
  const message = facts.lastMessage.trim();
  if (message === "") {
    // Some programs print an error and exit with 0.
    if (facts.lastError !== "") return { kind: "failed", reason: whyFailed(facts) };
    const reason = facts.problem ?? "the agent ended without a handoff and without a message";
    return { kind: "stopped", stop: { end: "stuck", reason } };
  }
  const summary = message.slice(-MAX_SUMMARY_CHARS);
  const concerns = facts.problem === null ? [] : [facts.problem];
  return { kind: "submitted", claim: agentClaimSchema.parse({ summary, concerns }) };
}

function whyNotStarted(program: string, code: string): string {
  if (code !== "ENOENT") return `the agent's program ${program} could not be started: ${code}`;
  return `the agent's program ${program} is not in the sandbox: unpack it in a folder and name that folder in AGENT_COMMAND_DIR`;
}

function whyFailed({ program, end, lastError }: CommandRunFacts): string {
  const how = end.signal === null ? `exit ${end.code}` : `killed by ${end.signal}`;
  const errors = [lastError, end.stderrTail].filter((text) => text.trim() !== "").join("\n");
  return `the agent's program ${program} failed (${how})${errors === "" ? "" : `: ${errors}`}`;
}
