import { Agent, type AgentMessage, type AgentTool } from "@earendil-works/pi-agent-core";
import { streamSimple } from "@earendil-works/pi-ai/api/openai-completions";
import {
  createBashTool,
  createEditTool,
  createFindTool,
  createGrepTool,
  createLsTool,
  createReadTool,
  createWriteTool,
} from "@earendil-works/pi-coding-agent";
import type { AgentClaim, Note } from "@agentswarm/contracts";
import { createAskTool } from "./ask-tool.ts";
import { INTERRUPTED, notesPrompt } from "./prompts.ts";
import type { PromptEnd, Session, SessionOptions } from "./session.ts";
import { createSubmitTool } from "./submit-tool.ts";
import { watchLimits, type SessionStop } from "./watch-limits.ts";

const CONTEXT_WINDOW = 202_752;
/** The gateway meters the cost. */
const FREE = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 };
const REMINDER = "You stopped without calling `submit`. Continue, or call `submit` if the work is done.";
const MAX_REMINDERS = 2;

/** A Pi session: the loop of pi-agent-core with Pi's coding tools and `submit`. */
export function openPiSession(options: SessionOptions): Session {
  const { assignment, cwd } = options;
  const watch = watchLimits(assignment.task.limits);
  let claim: AgentClaim | null = null;
  let stop: SessionStop | null = null;
  /** The limit that the newest turn reached, though it may have handed over. */
  let reached: SessionStop | null = null;
  /** The messages of notes that the model was not sent yet. */
  const unheard = new Map<AgentMessage, Note>();
  /** Those of them that wait for the end of the agent's turn. */
  const later: AgentMessage[] = [];
  let interruption = new AbortController();
  let parked = false;

  const tools = [
    createReadTool(cwd),
    createBashTool(cwd, { exposeSessionEnvironment: false }),
    createEditTool(cwd),
    createWriteTool(cwd),
    createGrepTool(cwd),
    createFindTool(cwd),
    createLsTool(cwd),
    createAskTool(options.ask, () => {
      parked = true;
    }),
    createSubmitTool((submitted) => {
      claim = submitted;
    }),
  ].map((tool) => interruptible(tool as AgentTool, () => interruption.signal));

  const agent = new Agent({
    initialState: {
      systemPrompt: options.system,
      tools,
      thinkingLevel: "off",
      model: {
        id: assignment.model,
        name: assignment.model,
        api: "openai-completions",
        provider: "swarm",
        baseUrl: options.relay.baseUrl,
        reasoning: false,
        input: ["text"],
        cost: FREE,
        contextWindow: CONTEXT_WINDOW,
        maxTokens: assignment.maxTokens,
        compat: { supportsStore: false, supportsDeveloperRole: false, maxTokensField: "max_tokens" },
      },
    },
    // The gateway retries failed calls; retries here would multiply them.
    streamFn: (model, context, streamOptions) =>
      streamSimple(model as Parameters<typeof streamSimple>[0], context, {
        ...streamOptions,
        maxRetries: 0,
        maxTokens: assignment.maxTokens,
        temperature: assignment.temperature,
      }),
    getApiKey: () => assignment.gatewayKey,
    toolExecution: "sequential",
    steeringMode: "all",
    beforeToolCall: async () =>
      interruption.signal.aborted ? { block: true, reason: INTERRUPTED } : undefined,
    finishTurn({ message }) {
      const { content, usage, stopReason } = message;
      const isWhole = stopReason !== "error" && stopReason !== "aborted";
      const calls = content.flatMap((part) =>
        isWhole && part.type === "toolCall" ? [{ name: part.name, args: part.arguments }] : [],
      );
      reached = watch.onTurn({ calls, tokens: usage.input + usage.output });
      // `submit` ends the run, even in the turn that reaches a limit: the checks judge the work.
      if (claim === null) stop = reached;
      return claim === null && stop === null && !parked ? undefined : { action: "end" };
    },
  });

  agent.subscribe((event) => {
    if (event.type === "message_end") {
      options.onTranscript({ type: "message", message: event.message });
      onMessage(event.message);
    }
    if (event.type === "tool_execution_start") {
      options.onProgress({ turn: watch.turns, tool: event.toolName, text: describeCall(event.args) });
    }
  });

  /** A message in the conversation is sent with the next request. */
  const onMessage = (message: AgentMessage) => {
    const note = unheard.get(message);
    if (note === undefined) return;
    unheard.delete(message);
    options.onHeard({ noteId: note.id, turn: watch.turns });
    const isInterrupted = [...unheard.values()].some(({ mode }) => mode === "interrupt");
    if (interruption.signal.aborted && !isInterrupted) interruption = new AbortController();
  };
  const steer = (note: Note) => {
    const content = [{ type: "text" as const, text: notesPrompt([note]) }];
    const message: AgentMessage = { role: "user", content, timestamp: Date.now() };
    unheard.set(message, note);
    if (note.mode === "next") later.push(message);
    else agent.steer(message);
    if (note.mode === "interrupt") interruption.abort();
  };
  /** Queues the notes that waited for the end of a turn. True when notes are queued. */
  const queueNotes = (): boolean => {
    for (const message of later.splice(0)) agent.steer(message);
    return agent.hasQueuedMessages();
  };

  const run = async (text: string): Promise<PromptEnd> => {
    claim = null;
    queueNotes();
    let next = text;
    for (let reminders = 0; ; reminders += 1) {
      await agent.prompt(next);
      // A note of the agent's last turn is queued, for `submit` ends the run before the queue is looked at.
      while (!parked && reached === null && failureOf(agent) === null && queueNotes()) {
        claim = null;
        await agent.continue();
      }
      if (parked) return { kind: "parked" };
      if (claim !== null) return { kind: "submitted", claim };
      if (stop !== null) return { kind: "stopped", stop };
      const failure = failureOf(agent);
      if (failure !== null) return { kind: "failed", reason: failure };
      if (reminders === MAX_REMINDERS) {
        const reason = `the agent stopped without calling \`submit\`, after ${MAX_REMINDERS} reminders`;
        return { kind: "stopped", stop: { end: "stuck", reason } };
      }
      next = REMINDER;
    }
  };
  return {
    prompt: run,
    steer,
    hasNotes: () => unheard.size > 0,
    get turns() {
      return watch.turns;
    },
    get toolCalls() {
      return watch.toolCalls;
    },
  };
}

/** The tool, ended by the signal of this moment too. */
function interruptible(tool: AgentTool, interruption: () => AbortSignal): AgentTool {
  return {
    ...tool,
    execute: (id, args, signal, onUpdate) => {
      const signals = [interruption(), ...(signal === undefined ? [] : [signal])];
      return tool.execute(id, args, AbortSignal.any(signals), onUpdate);
    },
  };
}

/** Why the model failed, or null. `agent.prompt` does not throw then; the last message has the error. */
function failureOf(agent: Agent): string | null {
  const last = agent.state.messages.at(-1);
  if (last?.role !== "assistant" || (last.stopReason !== "error" && last.stopReason !== "aborted"))
    return null;
  return `the model failed: ${last.errorMessage ?? last.stopReason}`;
}

/** The main argument of a tool call, for the progress report. The arguments are not validated. */
function describeCall(args: unknown): string {
  const { path, command, pattern } = (args ?? {}) as Record<string, unknown>;
  const main = path ?? command ?? pattern ?? "";
  return (typeof main === "string" ? main : JSON.stringify(main)).slice(0, 200);
}
