import { join } from "node:path";
import { QUESTION_LIMITS, type AgentQuestion, type AgentTemplate, type Note } from "@agentswarm/contracts";
import { describeAnswer } from "../ask-tool.ts";
import { notesPrompt } from "../prompts.ts";
import type { PromptEnd, Session, SessionOptions } from "../session.ts";
import { agentEnvironment, writeHome } from "./agent-home.ts";
import { decidePromptEnd } from "./decide-prompt-end.ts";
import { fillText, type TemplateValues } from "./fill-template.ts";
import { followOutput } from "./follow-output.ts";
import { openHandoffFolder } from "./handoff-folder.ts";
import { createOutputParser } from "./output-parser.ts";
import { startProgram } from "./start-program.ts";

/** Where AGENT_COMMAND_DIR is mounted, under the work folder. */
const AGENT_DIR = ".agent";
/** The gateway's answer when a limit of the task is reached. */
const OVER_BUDGET = 402;
/** The gateway has already retried each of these; a program may retry for ever. */
const MAX_FAILURES_IN_A_ROW = 5;
/** Questions for which a program is started again, those that are refused included. */
const MAX_ASKED = 2 * QUESTION_LIMITS.perAttempt;

/** The prompt that only brings notes. */
const NEWS = "Somebody said something while you worked. Your changes so far are in the work tree.";

/** How one run of the program ended. */
type RunEnd = PromptEnd | { kind: "asked"; question: AgentQuestion };

/** A session with a coding agent that has a command line: one run of its program for every prompt. */
export function openCommandSession(template: AgentTemplate, options: SessionOptions): Session {
  const { assignment, workDir, relay } = options;
  const dirs = { homeDir: join(workDir, "agent-home"), agentDir: join(workDir, AGENT_DIR) };
  let [turns, toolCalls] = [0, 0];
  let session: string | null = null;
  // System prompt and task: a program that cannot continue its session gets them again.
  let opening = options.system;
  let begun = false;
  /** A program that was killed may not have stored its session: it starts anew. */
  let mayContinue = false;
  let failures = 0;
  let asked = 0;
  let stopNow: (why: PromptEnd) => void = () => undefined;
  /** What people said that the program was not prompted with yet. */
  const notes: Note[] = [];
  let interruptNow: () => void = () => undefined;

  // The gateway enforces the limits. A program may not understand its answer, so the runner stops the program.
  relay.onAnswer((status) => {
    if (status === OVER_BUDGET) {
      const reason = "a limit of the task was reached";
      return stopNow({ kind: "stopped", stop: { end: "limit-reached", reason } });
    }
    turns += 1;
    failures = status < 400 ? 0 : failures + 1;
    if (failures === MAX_FAILURES_IN_A_ROW)
      stopNow({ kind: "failed", reason: `the model failed ${failures} times in a row, last with ${status}` });
  });

  /** Adds the notes that wait to a prompt. */
  const withNotes = (text: string): string => {
    const said = notes.splice(0);
    if (said.length === 0) return text;
    for (const { id } of said) options.onHeard({ noteId: id, turn: turns });
    const section = notesPrompt(said);
    if (begun) opening = `${opening}\n\n${section}`;
    return `${text}\n\n${section}`;
  };

  /** Runs the program once. Null: a note has interrupted it. */
  const runOnce = async (given: string): Promise<RunEnd | null> => {
    const text = withNotes(given);
    const continueArgv = mayContinue ? continueArgvOf(template, session) : null;

    const folder = await openHandoffFolder(workDir);
    const prompt = [...(continueArgv === null ? [opening] : []), text, folder.instructions].join("\n\n");
    if (!begun) opening = `${opening}\n\n${text}`;
    begun = true;
    await folder.begin(prompt);
    options.onTranscript({ type: "message", message: { role: "user", content: prompt } });
    const values: TemplateValues = {
      ...dirs,
      prompt,
      promptFile: folder.promptFile,
      handoffFile: folder.handoffFile,
      model: assignment.model,
      baseUrl: relay.baseUrl,
      apiKey: assignment.gatewayKey,
      maxTokens: assignment.maxTokens,
      temperature: assignment.temperature,
      workDir: options.cwd,
      ...(session === null ? {} : { session }),
    };
    await writeHome(template, dirs.homeDir, values);

    const stops: PromptEnd[] = [];
    stopNow = (why) => {
      stops.push(why);
      running.kill();
    };
    let interrupted = false;
    interruptNow = () => {
      interrupted = true;
      running.kill();
    };
    const follower = followOutput({
      ...options,
      turns: () => turns,
      onStuck: (stop) => stopNow({ kind: "stopped", stop }),
    });
    const parse = createOutputParser(template.output);
    const argv = (continueArgv ?? template.argv).map((part) => fillText(part, values));
    const running = startProgram({
      argv,
      cwd: options.cwd,
      env: agentEnvironment(template, dirs, values),
      stdin: fillText(template.stdin, values),
      onLine: (line) => {
        for (const event of parse(line)) follower.onEvent(event);
      },
    });
    const end = await running.ended;
    stopNow = () => undefined;
    interruptNow = () => undefined;
    toolCalls += follower.toolCalls();
    session = follower.session() ?? session;
    if (template.output === "plain") follower.recordLastMessage();
    mayContinue = !interrupted;
    if (interrupted && stops.length === 0) return null;
    const handoff = await folder.read();
    const question = handoff.claim === null && stops.length === 0 ? await folder.readQuestion() : null;
    if (question !== null) return { kind: "asked", question };
    return decidePromptEnd({
      program: argv[0] ?? "",
      end,
      ...handoff,
      stopped: stops[0] ?? null,
      lastMessage: follower.lastMessage(),
      lastError: follower.lastError(),
    });
  };

  /** Runs the program until it ends without a question. Null: a note has interrupted it. */
  const run = async (text: string): Promise<PromptEnd | null> => {
    for (let next = text; ; asked += 1) {
      const ended = await runOnce(next);
      if (ended?.kind !== "asked") return ended;
      // A program that reads no answer would be started again and again.
      if (asked === MAX_ASKED) {
        const reason = `the agent's program asked ${asked + 1} questions; more than ${QUESTION_LIMITS.perAttempt} are not answered`;
        return { kind: "stopped", stop: { end: "stuck", reason } };
      }
      const answer = await options.ask(ended.question);
      if (answer.kind === "parked") return { kind: "parked" };
      next = `You asked: ${ended.question.question}\n\n${describeAnswer(answer)}`;
    }
  };

  return {
    async prompt(text) {
      let end = await run(text);
      while (end === null || (end.kind === "submitted" && notes.length > 0)) end = await run(NEWS);
      return end;
    },
    steer(note) {
      notes.push(note);
      if (note.mode === "interrupt") interruptNow();
    },
    hasNotes: () => notes.length > 0,
    get turns() {
      return turns;
    },
    get toolCalls() {
      return toolCalls;
    },
  };
}

/** The command that continues the session; null when the template has none, or no session is known. */
function continueArgvOf({ continueArgv }: AgentTemplate, session: string | null): readonly string[] | null {
  if (continueArgv === undefined) return null;
  const needsSession = continueArgv.some((part) => part.includes("{{session}}"));
  return needsSession && session === null ? null : continueArgv;
}
