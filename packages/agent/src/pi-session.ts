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
import { watchLimits, type Stop } from "./limits.ts";
import type { Session, SessionOptions, Turned } from "./runtime.ts";
import { createSubmitTool } from "./submit-tool.ts";

const CONTEXT_WINDOW = 202_752;
const FREE = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 };
const REMINDER = "You stopped without calling `submit`. Go on, or call `submit` if the work is done.";
const REMINDERS = 2;

/** A Pi session: pi-agent-core's loop with Pi's own coding tools and `submit`. */
export function openPiSession(options: SessionOptions): Session {
  const { assignment, cwd } = options;
  const watch = watchLimits(assignment.task.limits);
  let claim: AgentClaim | null = null;
  let stop: Stop = null;

  const tools = [
    createReadTool(cwd),
    createBashTool(cwd, { exposeSessionEnvironment: false }),
    createEditTool(cwd),
    createWriteTool(cwd),
    createGrepTool(cwd),
    createFindTool(cwd),
    createLsTool(cwd),
    createSubmitTool((handed) => {
      claim = handed;
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
    // The gateway outside retries what can be retried; a second layer here would multiply it.
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
      const whole = stopReason !== "error" && stopReason !== "aborted";
      const calls = content.flatMap((part) =>
        whole && part.type === "toolCall" ? [{ name: part.name, args: part.arguments }] : [],
      );
      const stopped = watch.onTurn({ calls, tokens: usage.input + usage.output });
      // Handing over ends the run, whatever else was called beside it; what it is worth the checks will tell.
      if (claim === null) stop = stopped;
      return claim === null && stop === null ? undefined : { action: "end" };
    },
  });

  agent.subscribe((event) => {
    if (event.type === "message_end") options.onTranscript({ type: "message", message: event.message });
    if (event.type === "tool_execution_start") {
      options.onProgress({ turn: watch.turns, tool: event.toolName, text: describe(event.args) });
    }
  });

  const run = async (text: string): Promise<Turned> => {
    claim = null;
    let next = text;
    for (let reminders = 0; ; reminders += 1) {
      await agent.prompt(next);
      if (claim !== null) return { kind: "submitted", claim };
      if (stop !== null) return { kind: "stopped", stop };
      const failure = failureOf(agent);
      if (failure !== null) return { kind: "failed", reason: failure };
      if (reminders === REMINDERS) {
        return { kind: "stopped", stop: { end: "stuck", reason: "the agent stopped without handing over" } };
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

/** `prompt` does not throw when the model fails; the last message tells. */
function failureOf(agent: Agent): string | null {
  const last = agent.state.messages.at(-1);
  if (last?.role !== "assistant" || (last.stopReason !== "error" && last.stopReason !== "aborted"))
    return null;
  return `the model failed: ${last.errorMessage ?? last.stopReason}`;
}

/** What a call is about, in a few words; its arguments may be anything. */
function describe(args: unknown): string {
  const { path, command, pattern } = (args ?? {}) as Record<string, unknown>;
  const about = path ?? command ?? pattern ?? "";
  return (typeof about === "string" ? about : JSON.stringify(about)).slice(0, 200);
}
