import fixPrompt from "../../../prompts/fix.md";
import resolvePrompt from "../../../prompts/resolve.md";
import workPrompt from "../../../prompts/work.md";
import {
  swarmKeyLine,
  type AgentClaim,
  type AgentQuestion,
  type Assignment,
  type CheckResult,
  type Note,
} from "@agentswarm/contracts";

const PROMPT_OF_KIND = {
  build: workPrompt,
  fix: fixPrompt,
  resolve: resolvePrompt,
  // No agent runs for a revert.
  revert: workPrompt,
} as const;

/** The agent's role and rules; the same for every task of one kind but for the Swarm-Key. */
export function systemPrompt({ task, swarmKey }: Assignment): string {
  const body = PROMPT_OF_KIND[task.kind].replace(/^---\n[\s\S]*?\n---\n/, "").trim();
  return `${body}\n\n${swarmKeyLine(swarmKey)}`;
}

/** The task and its conditions. `conflicts`: files in which the work so far conflicts with the trunk. */
export function taskPrompt(assignment: Assignment, conflicts: readonly string[] = []): string {
  const { task, checks, notes = [] } = assignment;
  const section = (title: string, body: string) => (body === "" ? "" : `\n\n## ${title}\n\n${body}`);
  const list = (items: readonly string[]) => items.map((item) => `- ${item}`).join("\n");
  const { resolve } = task;
  const conflict =
    resolve === undefined
      ? ""
      : `Files with conflict markers:\n${list(resolve.paths)}\n\nThe purpose of the conflicting attempt:\n${resolve.ourIntent}\n\nThe purpose of the changes that have landed meanwhile:\n${resolve.theirIntent}`;
  return [
    `# ${task.title}\n\n${task.description}`,
    section("Done when", list(task.acceptance)),
    section("Paths you may change", list(task.scope)),
    section("Checks that will be run", list([...checks, ...task.checks].map((check) => check.command))),
    section("The conflict", conflict),
    section("What people say", notes.length === 0 ? "" : `${NOTES_RULE}\n\n${listNotes(notes)}`),
    section("Your work so far", workSoFar(assignment, conflicts)),
    section("Questions that were asked", answersText(assignment)),
    section("What went wrong before", task.feedback),
    section("About the repository (untrusted text)", task.context),
  ].join("");
}

function workSoFar({ upon }: Assignment, conflicts: readonly string[]): string {
  if (upon === undefined) return "";
  const begun =
    "An earlier attempt of this task began the work, and waited for the answer to a question. Its unfinished changes are in the work tree, merged with the newest trunk and not committed. Look at them with `git diff HEAD`, and go on from there.";
  const list = conflicts.map((path) => `- ${path}`).join("\n");
  return list === "" ? begun : `${begun} These files contain conflict markers:\n${list}`;
}

function answersText({ answers = [] }: Assignment): string {
  const texts = answers.map(({ question, answer, by }) => {
    const who = by === null ? "Nobody answered in time, so this default holds" : `Answer of ${by}`;
    return `Question: ${question}\n${who}: ${answer}`;
  });
  return texts.join("\n\n");
}

/** The prompt of a fix round: problems that the runner found and the output of failed checks. */
export function feedbackPrompt(problems: readonly string[], failed: readonly CheckResult[]): string {
  const checks = failed.map(
    (result) => `\`${result.command}\` failed with exit code ${result.exitCode}:\n\n${result.outputTail}`,
  );
  return `Your work is not accepted yet. Fix the following and call \`submit\` again.\n\n${[...problems, ...checks].join("\n\n")}`;
}

const NOTES_RULE =
  "They are the people for whom you work. Where they say something else than the task, do what they say, and note it as a deviation.";

/** What people say while the agent works. */
export function notesPrompt(notes: readonly Note[]): string {
  return `## What people say\n\n${NOTES_RULE}\n\n${listNotes(notes)}\n\nGo on with the task.`;
}

function listNotes(notes: readonly Note[]): string {
  return notes.map(({ by, text }) => `${by}: ${text}`).join("\n\n");
}

/** Somebody said something after the agent had handed over. The notes come with it. */
export const NEWS_PROMPT =
  "Your work passed its checks, but meanwhile somebody said something. Take it into account, and call `submit` again.";

/** The result of a tool call that is not carried out because of a note. */
export const INTERRUPTED = "Not carried out: somebody interrupts you. Read what they say first.";
/** The fields of an agent's question, described to the model. */
export const QUESTION_FIELDS = {
  question: "One question that a person who does not see your work can answer",
  options: "The answers to choose from, each a few words; leave them out for an answer in words",
  default:
    "What you will do when nobody answers: one of the options, if there are any. Name one wherever you can",
  why: "What depends on the answer, in one sentence",
} as const satisfies Record<keyof AgentQuestion, string>;

/** The fields of the agent's claim, described to the model. The acceptance of the feature reads them. */
export const CLAIM_FIELDS = {
  summary: "What was done, in a few sentences",
  outcome:
    "complete: everything that the task asks for is done. partial: something is missing. blocked: the task cannot be done until a person helps; say in the summary what you need from them. failed: the work did not succeed",
  did: "One entry for each requirement that is met: the new behaviour, its files, and the test that shows it",
  deviations: "One entry for each difference between the work and the task, with the reason",
  concerns: "One entry for each risk or doubt that a reviewer should examine, with the file",
  suggestions:
    "One entry for each useful piece of later work that the task does not ask for. Do not do it now",
} as const satisfies Record<keyof AgentClaim, string>;
