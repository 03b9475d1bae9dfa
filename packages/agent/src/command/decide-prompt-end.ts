import type { AgentClaim } from "@agentswarm/contracts";
import type { Turned } from "../runtime.ts";
import type { CommandEnd } from "./start-command.ts";

export interface RunFacts {
  readonly program: string;
  readonly end: CommandEnd;
  /** What it wrote into the place for it; null when nothing, or nothing that counts. */
  readonly claim: AgentClaim | null;
  readonly problem: string | null;
  /** How it ended, when it was the runner that ended it; else null. */
  readonly stopped: Turned | null;
  readonly lastMessage: string;
  readonly lastError: string;
}

const MAX_SUMMARY_CHARS = 10_000;

/** How a run of an agent's program ended, from all that is known about it. */
export function decideTurned(facts: RunFacts): Turned {
  const { end, claim, stopped } = facts;
  if (end.notStarted !== null)
    return { kind: "failed", reason: whyNotStarted(facts.program, end.notStarted) };
  // Whoever has handed over is done, however it ended then; what it is worth the checks will tell.
  if (claim !== null) return { kind: "submitted", claim };
  if (stopped !== null) return stopped;
  if (end.code !== 0) return { kind: "failed", reason: whyFailed(facts) };
  const said = facts.lastMessage.trim();
  if (said === "") {
    // Some tell only of an error, and end as if there had been none.
    if (facts.lastError !== "") return { kind: "failed", reason: whyFailed(facts) };
    const reason = facts.problem ?? "the agent ended without handing over and without a word";
    return { kind: "stopped", stop: { end: "stuck", reason } };
  }
  return {
    kind: "submitted",
    claim: {
      outcome: "complete",
      summary: said.slice(-MAX_SUMMARY_CHARS),
      did: [],
      deviations: [],
      concerns: facts.problem === null ? [] : [facts.problem],
      suggestions: [],
    },
  };
}

function whyNotStarted(program: string, code: string): string {
  if (code !== "ENOENT") return `the agent's program ${program} could not be started: ${code}`;
  return `the agent's program ${program} is not in the sandbox: unpack it in a folder and name that folder in AGENT_COMMAND_DIR`;
}

function whyFailed({ program, end, lastError }: RunFacts): string {
  const how = end.signal === null ? `exit ${end.code}` : `killed by ${end.signal}`;
  const told = [lastError, end.stderrTail].filter((text) => text.trim() !== "").join("\n");
  return `the agent's program ${program} failed (${how})${told === "" ? "" : `: ${told}`}`;
}
