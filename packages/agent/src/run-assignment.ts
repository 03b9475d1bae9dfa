import { createReadStream } from "node:fs";
import { join } from "node:path";
import {
  DOOR,
  NO_METRICS,
  type AgentClaim,
  type AgentResult,
  type Assignment,
  type CheckResult,
} from "@agentswarm/contracts";
import { makeBundle } from "@agentswarm/git";
import { commitChanges, markersLeft, outsideScope, stageChanges, type Changes } from "./changes.ts";
import type { Door } from "./door.ts";
import { layOut, type Prepared } from "./prepare.ts";
import { feedbackPrompt, systemPrompt, taskPrompt } from "./prompts.ts";
import { openSession } from "./open-session.ts";
import type { Session } from "./runtime.ts";
import { runChecksHere } from "./verify.ts";

/** How often failing checks are given back to the agent. */
const MENDINGS = 3;
/** What a result names at most; the dispatcher counts for itself, and a result has bounds. */
const MAX_FILES_NAMED = 10_000;

/** Runs one attempt from assignment to result. Expected endings are results; what throws is the runner's own fault. */
export async function runAttempt(
  door: Door,
  assignment: Assignment,
  { repo, relay }: Prepared,
  workDir: string,
): Promise<AgentResult> {
  const startedAt = performance.now();
  const { task } = assignment;
  await layOut(door, assignment, repo, workDir);
  let told = Promise.resolve();
  const session = openSession({
    assignment,
    cwd: repo,
    workDir,
    relay,
    system: systemPrompt(assignment),
    // Signs of life and transcripts are best effort; the host may be slow, and the work goes on.
    onProgress: (progress) => void door.send(DOOR.progress, JSON.stringify(progress)).catch(() => undefined),
    onTranscript(entry) {
      // One after another: what is sent at once may come in in any order.
      told = told.then(() => door.send(DOOR.transcript, `${JSON.stringify(entry)}\n`)).catch(() => undefined);
    },
  });
  const finish = async (ending: Ending): Promise<AgentResult> => {
    const changes = await stageChanges(repo, assignment.baseCommit);
    const keep = ending.keep && changes.files.length > 0;
    const headCommit = keep ? await handOver(door, assignment, repo, workDir, ending.claim) : null;
    await told;
    return resultOf(ending, changes, session, headCommit, performance.now() - startedAt);
  };

  let prompt = taskPrompt(assignment);
  let checks: CheckResult[] = [];
  for (let mendings = 0; ; mendings += 1) {
    const turned = await session.prompt(prompt);
    if (turned.kind === "failed") {
      return finish({ claim: NO_CLAIM, end: "failed", reason: turned.reason, checks, keep: false });
    }
    if (turned.kind === "stopped") {
      return finish({
        claim: NO_CLAIM,
        end: turned.stop.end,
        reason: turned.stop.reason,
        checks,
        keep: false,
      });
    }
    const { claim } = turned;
    if (claim.outcome === "blocked" || claim.outcome === "failed") {
      return finish({ claim, end: "submitted", reason: claim.summary, checks, keep: false });
    }
    const changes = await stageChanges(repo, assignment.baseCommit);
    if (changes.files.length === 0) {
      return finish({
        claim: failed(claim),
        end: "failed",
        reason: "the attempt changed nothing",
        checks,
        keep: false,
      });
    }
    const problems = await problemsOf(changes, assignment, repo);
    checks = await runChecksHere([...assignment.checks, ...task.checks], repo);
    const red = checks.filter((check) => check.exitCode !== 0);
    if (problems.length === 0 && red.length === 0)
      return finish({ claim, end: "submitted", checks, keep: true });
    if (mendings === MENDINGS) {
      const reason = [
        ...problems,
        ...red.map((check) => `${check.command}: ${check.outputTail.slice(-2_000)}`),
      ].join("\n");
      return finish({ claim: failed(claim), end: "failed", reason, checks, keep: false });
    }
    prompt = feedbackPrompt(problems, red);
  }
}

interface Ending {
  readonly claim: AgentClaim;
  readonly end: AgentResult["end"];
  readonly reason?: string;
  readonly checks: CheckResult[];
  /** Whether its changes are handed over. */
  readonly keep: boolean;
}

const NO_CLAIM: AgentClaim = {
  outcome: "failed",
  summary: "",
  did: [],
  deviations: [],
  concerns: [],
  suggestions: [],
};

function failed(claim: AgentClaim): AgentClaim {
  return { ...claim, outcome: "failed" };
}

async function problemsOf(changes: Changes, { task }: Assignment, repo: string): Promise<string[]> {
  const outside = outsideScope(changes.files, task.scope);
  const marked = await markersLeft(repo, changes.files);
  return [
    ...(outside.length > 0
      ? [`These paths are outside the task's scope (${task.scope.join(", ")}): ${outside.join(", ")}`]
      : []),
    ...(marked.length > 0 ? [`Conflict markers are left in: ${marked.join(", ")}`] : []),
  ];
}

/** Commits everything as one commit on the base and gives its bundle to the host. */
async function handOver(
  door: Door,
  assignment: Assignment,
  repo: string,
  workDir: string,
  claim: AgentClaim,
): Promise<string> {
  const message = `${assignment.task.title}\n\n${claim.summary}`.trim();
  const { baseCommit } = assignment;
  const head = await commitChanges(repo, baseCommit, message);
  const bundle = await makeBundle(repo, head, baseCommit, join(workDir, `attempt-${head}.bundle`));
  await door.send(DOOR.commits, createReadStream(bundle));
  return head;
}

function resultOf(
  ending: Ending,
  changes: Changes,
  session: Session,
  headCommit: string | null,
  durationMs: number,
): AgentResult {
  const { files, ...figures } = changes;
  return {
    ...ending.claim,
    end: ending.end,
    ...(ending.reason === undefined ? {} : { reason: ending.reason.slice(0, 20_000) }),
    filesChanged: files.slice(0, MAX_FILES_NAMED),
    checks: ending.checks,
    metrics: {
      ...NO_METRICS,
      ...figures,
      turns: session.turns,
      toolCalls: session.toolCalls,
      durationMs: Math.round(durationMs),
    },
    headCommit,
  };
}
