import type { Limits } from "@agentswarm/contracts";

export type Stop = { end: "limit-reached" | "stuck"; reason: string } | null;

/** Watches a session; asked after every turn. */
export interface LimitWatch {
  turns: number;
  toolCalls: number;
  onTurn(turn: { calls: readonly Call[]; tokens: number }): Stop;
}

/** How many rounds of the very same calls count as going in circles. */
const SAME_ROUNDS = 3;

interface Call {
  readonly name: string;
  readonly args: unknown;
}

/** Sees an agent going in circles; told the calls of every round. */
export function watchCircles(): (calls: readonly Call[]) => Stop {
  let last = "";
  let same = 0;
  return (calls) => {
    const signature = JSON.stringify(calls.map((call) => [call.name, call.args]));
    same = calls.length > 0 && signature === last ? same + 1 : 1;
    last = signature;
    if (same < SAME_ROUNDS) return null;
    return {
      end: "stuck",
      reason: `the agent made the same tool call ${SAME_ROUNDS} rounds in a row: ${signature.slice(0, 300)}`,
    };
  };
}

export function watchLimits(limits: Limits): LimitWatch {
  let tokens = 0;
  const circles = watchCircles();
  const watch: LimitWatch = {
    turns: 0,
    toolCalls: 0,
    onTurn({ calls, tokens: used }) {
      watch.turns += 1;
      watch.toolCalls += calls.length;
      tokens += used;
      const stuck = circles(calls);
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
