import type { Limits } from "@agentswarm/contracts";

/** Why the runner stopped a session. */
export interface SessionStop {
  readonly end: "limit-reached" | "stuck";
  readonly reason: string;
}

/** Counts the turns of a session. */
export interface LimitWatch {
  turns: number;
  toolCalls: number;
  /** Counts a turn. Returns why the session must stop, or null. */
  onTurn(turn: { calls: readonly ToolCall[]; tokens: number }): SessionStop | null;
}

/** The same tool calls in this many turns in a row are a loop. */
const MAX_SAME_TURNS = 3;
const MAX_SIGNATURE_CHARS = 300;

interface ToolCall {
  readonly name: string;
  readonly args: unknown;
}

/** Detects an agent in a loop. The returned function takes the tool calls of every turn. */
export function watchLoops(): (calls: readonly ToolCall[]) => SessionStop | null {
  let last = "";
  let sameTurns = 0;
  return (calls) => {
    const signature = JSON.stringify(calls.map((call) => [call.name, call.args]));
    sameTurns = calls.length > 0 && signature === last ? sameTurns + 1 : 1;
    last = signature;
    if (sameTurns < MAX_SAME_TURNS) return null;
    const shown = signature.slice(0, MAX_SIGNATURE_CHARS);
    return {
      end: "stuck",
      reason: `the agent made the same tool calls in ${MAX_SAME_TURNS} turns in a row: ${shown}`,
    };
  };
}

/** Watches the limits of turns and tokens, and detects loops. */
export function watchLimits(limits: Limits): LimitWatch {
  let tokens = 0;
  const loopIn = watchLoops();
  const watch: LimitWatch = {
    turns: 0,
    toolCalls: 0,
    onTurn({ calls, tokens: used }) {
      watch.turns += 1;
      watch.toolCalls += calls.length;
      tokens += used;
      const stuck = loopIn(calls);
      if (stuck !== null) return stuck;
      if (watch.turns >= limits.turns)
        return { end: "limit-reached", reason: `the limit of ${limits.turns} turns was reached` };
      if (tokens >= limits.tokens)
        return { end: "limit-reached", reason: `the limit of ${limits.tokens} tokens was reached` };
      return null;
    },
  };
  return watch;
}
