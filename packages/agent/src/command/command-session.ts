import { join } from "node:path";
import type { AgentTemplate } from "@agentswarm/contracts";
import type { Session, SessionOptions, Turned } from "../runtime.ts";
import { agentEnvironment, writeHome } from "./agent-home.ts";
import { handOverPrompt } from "./command-prompt.ts";
import { decideTurned } from "./decide-turned.ts";
import { fillText, type Values } from "./fill-template.ts";
import { followEvents } from "./follow-events.ts";
import { openHandoffFolder } from "./handoff-folder.ts";
import { lineReader } from "./read-output.ts";
import { startCommand } from "./start-command.ts";

/** Where AGENT_COMMAND_DIR is seen, under the work folder. */
const AGENT_DIR = ".agent";
/** The gateway's answer once a bound of the task is reached. */
const OVER_BUDGET = 402;
/** The gateway has tried again for itself; a program may do so for ever. */
const FAILURES_IN_A_ROW = 5;

/** A session with a coding agent that has a command line: one run of its program for every prompt. */
export function openCommandSession(template: AgentTemplate, options: SessionOptions): Session {
  const { assignment, workDir, relay } = options;
  const dirs = { homeDir: join(workDir, "agent-home"), agentDir: join(workDir, AGENT_DIR) };
  let [turns, toolCalls] = [0, 0];
  let session: string | null = null;
  let beginning = options.system;
  let begun = false;
  let failures = 0;
  let stopNow: (why: Turned) => void = () => undefined;

  // The gateway counts for itself; this is how its bounds reach a program that knows nothing of them.
  relay.onAnswer((status) => {
    if (status === OVER_BUDGET) {
      const reason = "a limit of the task was reached";
      return stopNow({ kind: "stopped", stop: { end: "limit-reached", reason } });
    }
    turns += 1;
    failures = status < 400 ? 0 : failures + 1;
    if (failures === FAILURES_IN_A_ROW)
      stopNow({ kind: "failed", reason: `the model failed ${failures} times in a row, last with ${status}` });
  });

  const run = async (text: string): Promise<Turned> => {
    const continued = begun ? continuation(template, session) : null;
    const folder = await openHandoffFolder(workDir);
    const handOver = handOverPrompt(folder.handoffFile);
    // One that cannot go on where it ended is told everything again.
    const prompt = [...(continued === null ? [beginning] : []), text, handOver].join("\n\n");
    if (!begun) beginning = `${beginning}\n\n${text}`;
    begun = true;
    await folder.begin(prompt);
    options.onTranscript({ type: "message", message: { role: "user", content: prompt } });
    const values: Values = {
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

    const stops: Turned[] = [];
    stopNow = (why) => {
      stops.push(why);
      command.kill();
    };
    const heard = followEvents({
      ...options,
      turns: () => turns,
      onStuck: (stop) => stopNow({ kind: "stopped", stop }),
    });
    const read = lineReader(template.output);
    const argv = (continued ?? template.argv).map((part) => fillText(part, values));
    const command = startCommand({
      argv,
      cwd: options.cwd,
      env: agentEnvironment(template, dirs, values),
      stdin: fillText(template.stdin, values),
      onLine: (line) => {
        for (const event of read(line)) heard.take(event);
      },
    });
    const end = await command.ended;
    stopNow = () => undefined;
    toolCalls += heard.toolCalls();
    session = heard.session() ?? session;
    if (template.output === "plain") heard.noteLastMessage();
    return decideTurned({
      program: argv[0] ?? "",
      end,
      ...(await folder.read()),
      stopped: stops[0] ?? null,
      lastMessage: heard.lastMessage(),
      lastError: heard.lastError(),
    });
  };

  return {
    prompt: run,
    get turns() {
      return turns;
    },
    get toolCalls() {
      return toolCalls;
    },
  };
}

/** How its session is gone on with; null when there is no way, or its output told no session. */
function continuation({ continueArgv }: AgentTemplate, session: string | null): readonly string[] | null {
  if (continueArgv === undefined) return null;
  const needsSession = continueArgv.some((part) => part.includes("{{session}}"));
  return needsSession && session === null ? null : continueArgv;
}
