import { createReadStream } from "node:fs";
import { join } from "node:path";
import {
  agentClaimSchema,
  agentResultSchema,
  DOOR,
  NO_METRICS,
  type AgentClaim,
  type AgentResult,
  type Assignment,
  type CheckResult,
  type HeardNote,
} from "@agentswarm/contracts";
import { makeBundle, outsideScope } from "@agentswarm/git";
import { commitChanges, markersLeft, stageChanges } from "./changes.ts";
import { checkWorkTree } from "./check-work-tree.ts";
import { openCommandSession } from "./command/command-session.ts";
import type { DoorClient } from "./door-client.ts";
import { followInbox } from "./follow-inbox.ts";
import { openPiSession } from "./pi-session.ts";
import { checkOutBase, type PreparedAttempt } from "./prepare-attempt.ts";
import { feedbackPrompt, NEWS_PROMPT, systemPrompt, taskPrompt } from "./prompts.ts";
import type { Session, SessionOptions } from "./session.ts";

/** How often problems and failed checks are returned to the agent in one attempt. */
const MAX_FIX_ROUNDS = 3;
const CHECK_OUTPUT_CHARS = 2_000;

/** Runs one attempt. Expected endings are results; an exception is a fault of the runner itself. */
export async function runAssignment(
  door: DoorClient,
  assignment: Assignment,
  { repo, relay }: PreparedAttempt,
  workDir: string,
): Promise<AgentResult> {
  const startedAt = performance.now();
  const conflicts = await checkOutBase(door, assignment, repo, workDir);
  // Progress and transcript are best effort: a slow or failed request must not stop the work.
  let transcriptSent = Promise.resolve();
  const onTranscript = (entry: object) => {
    // One request at a time: parallel requests may arrive in any order.
    transcriptSent = transcriptSent
      .then(() => door.send(DOOR.transcript, `${JSON.stringify(entry)}\n`))
      .catch(() => undefined);
  };
  const heard: HeardNote[] = [];
  const onHeard = (one: HeardNote) => {
    heard.push(one);
    void door.send(DOOR.heard, JSON.stringify(one)).catch(() => undefined);
  };
  const session = openSession({
    assignment,
    cwd: repo,
    workDir,
    relay,
    system: systemPrompt(assignment),
    ask: async (question) => DOOR.question.answer.parse(await door.postJson(DOOR.question, question)),
    onProgress: (progress) => void door.send(DOOR.progress, JSON.stringify(progress)).catch(() => undefined),
    onHeard,
    onTranscript,
  });
  const inbox = followInbox(door, (note) => {
    onTranscript({ type: "note", receivedAt: Date.now(), note });
    session.steer(note);
  });
  for (const { id } of assignment.notes ?? []) onHeard({ noteId: id, turn: 0 });

  const ending = await workUntilChecked(session, assignment, repo, taskPrompt(assignment, conflicts));
  inbox[Symbol.dispose]();

  const { files, ...counts } = await stageChanges(repo, assignment.baseCommit);
  const hasCommit = ending.kept && files.length > 0;
  const headCommit = hasCommit ? await sendCommit(door, assignment, repo, workDir, ending.claim) : null;
  await transcriptSent;
  // The schema cuts what is too long.
  return agentResultSchema.parse({
    ...ending.claim,
    end: ending.end,
    ...(ending.reason === undefined ? {} : { reason: ending.reason }),
    filesChanged: files,
    checks: ending.checks,
    metrics: {
      ...NO_METRICS,
      ...counts,
      turns: session.turns,
      toolCalls: session.toolCalls,
      durationMs: Math.round(performance.now() - startedAt),
    },
    headCommit,
    heard,
  });
}

function openSession(options: SessionOptions): Session {
  const { runtime } = options.assignment;
  return runtime?.kind === "command" ? openCommandSession(runtime.template, options) : openPiSession(options);
}

interface Ending {
  readonly claim: AgentClaim;
  readonly end: AgentResult["end"];
  readonly reason?: string;
  /** Results of the last run of the checks. */
  readonly checks: CheckResult[];
  /**
   * The changes may be committed: they are in scope and all checks passed, or the next attempt goes on upon them once a
   * person has answered.
   */
  readonly kept: boolean;
}

const NO_CLAIM: AgentClaim = agentClaimSchema.parse({ outcome: "failed", summary: "" });
const PARKED: AgentClaim = agentClaimSchema.parse({
  outcome: "blocked",
  summary: "Unfinished work, kept while a question is open.",
});

/** Prompts the agent until its changes pass the checks, or it can or may not continue. */
async function workUntilChecked(
  session: Session,
  assignment: Assignment,
  repo: string,
  firstPrompt: string,
): Promise<Ending> {
  const { task, baseCommit } = assignment;
  let checks: CheckResult[] = [];
  const failed = (claim: AgentClaim, reason: string): Ending => {
    return { claim: { ...claim, outcome: "failed" }, end: "failed", reason, checks, kept: false };
  };

  let prompt = firstPrompt;
  for (let fixRounds = 0; ; fixRounds += 1) {
    const prompted = await session.prompt(prompt);
    if (prompted.kind === "failed") return failed(NO_CLAIM, prompted.reason);
    if (prompted.kind === "stopped") return { claim: NO_CLAIM, ...prompted.stop, checks, kept: false };
    if (prompted.kind === "parked") return { claim: PARKED, end: "parked", checks, kept: true };
    const { claim } = prompted;
    if (claim.outcome === "blocked" || claim.outcome === "failed") {
      const kept = claim.outcome === "blocked";
      return { claim, end: "submitted", reason: claim.summary, checks, kept };
    }

    const { files } = await stageChanges(repo, baseCommit);
    if (files.length === 0) return failed(claim, "the attempt changed nothing");
    const problems = await findProblems(files, assignment, repo);
    checks = await checkWorkTree([...assignment.checks, ...task.checks], repo);
    const failedChecks = checks.filter((check) => check.exitCode !== 0);
    if (problems.length === 0 && failedChecks.length === 0) {
      if (!session.hasNotes()) return { claim, end: "submitted", checks, kept: true };
      prompt = NEWS_PROMPT;
      continue;
    }
    if (fixRounds === MAX_FIX_ROUNDS) {
      const outputs = failedChecks.map(
        ({ command, outputTail }) => `${command}: ${outputTail.slice(-CHECK_OUTPUT_CHARS)}`,
      );
      return failed(claim, [...problems, ...outputs].join("\n"));
    }
    prompt = feedbackPrompt(problems, failedChecks);
  }
}

async function findProblems(files: readonly string[], { task }: Assignment, repo: string): Promise<string[]> {
  const problems: string[] = [];
  const outside = outsideScope(files, task.scope);
  if (outside.length > 0)
    problems.push(
      `These paths are outside the task's scope (${task.scope.join(", ")}): ${outside.join(", ")}`,
    );
  const marked = await markersLeft(repo, files);
  if (marked.length > 0) problems.push(`Conflict markers are left in: ${marked.join(", ")}`);
  return problems;
}

/** Makes the staged changes one commit on the base and sends it to the dispatcher as a bundle. Returns the commit. */
async function sendCommit(
  door: DoorClient,
  { task, baseCommit }: Assignment,
  repo: string,
  workDir: string,
  claim: AgentClaim,
): Promise<string> {
  const message = `${task.title}\n\n${claim.summary}`.trim();
  const head = await commitChanges(repo, baseCommit, message);
  const bundle = await makeBundle(repo, head, baseCommit, join(workDir, `attempt-${head}.bundle`));
  await door.send(DOOR.commits, createReadStream(bundle));
  return head;
}
