import { Agent, type AgentTool } from "@earendil-works/pi-agent-core";
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
import type { AgentClaim } from "@agentswarm/contracts";
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

  const tools = [
    createReadTool(cwd),
    createBashTool(cwd, { exposeSessionEnvironment: false }),
    createEditTool(cwd),
    createWriteTool(cwd),
    createGrepTool(cwd),
    createFindTool(cwd),
    createLsTool(cwd),
    createSubmitTool((submitted) => {
      claim = submitted;
    }),
  ] as AgentTool[];

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
    finishTurn({ message }) {
      const { content, usage, stopReason } = message;
      const isWhole = stopReason !== "error" && stopReason !== "aborted";
      const calls = content.flatMap((part) =>
        isWhole && part.type === "toolCall" ? [{ name: part.name, args: part.arguments }] : [],
      );
      const stopped = watch.onTurn({ calls, tokens: usage.input + usage.output });
      // `submit` ends the run, even in the turn that reaches a limit: the checks judge the work.
      if (claim === null) stop = stopped;
      return claim === null && stop === null ? undefined : { action: "end" };
    },
  });

  agent.subscribe((event) => {
    if (event.type === "message_end") options.onTranscript({ type: "message", message: event.message });
    if (event.type === "tool_execution_start") {
      options.onProgress({ turn: watch.turns, tool: event.toolName, text: describeCall(event.args) });
    }
  });

  const run = async (text: string): Promise<PromptEnd> => {
    claim = null;
    let next = text;
    for (let reminders = 0; ; reminders += 1) {
      await agent.prompt(next);
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
    get turns() {
      return watch.turns;
    },
    get toolCalls() {
      return watch.toolCalls;
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
