import type { Progress } from "@agentswarm/contracts";
import { watchCircles, type Stop } from "../limits.ts";
import type { AgentEvent } from "./read-output.ts";

export interface Follower {
  take(event: AgentEvent): void;
  /** The newest text; what was said before it is only kept in the transcript. */
  lastMessage(): string;
  /** Puts a message that grew line by line into the transcript. */
  noteLastMessage(): void;
  lastError(): string;
  session(): string | null;
  toolCalls(): number;
}

export interface FollowOptions {
  readonly turns: () => number;
  readonly onStuck: (why: NonNullable<Stop>) => void;
  readonly onProgress: (progress: Progress) => void;
  readonly onTranscript: (entry: object) => void;
}

const PROGRESS_EVERY_MS = 1_000;
const MAX_OUTPUT_CHARS = 20_000;

/** Follows what one run of an agent's program tells of itself. */
export function followEvents(options: FollowOptions): Follower {
  // Doing the same in every run is not going in circles: the checks have said something in between.
  const circles = watchCircles();
  let calls: { name: string; args: unknown }[] = [];
  let [lastMessage, lastError] = ["", ""];
  let session: string | null = null;
  let toolCalls = 0;
  let toldAt = -Infinity;

  const progress = (tool: string, text: string) => {
    if (performance.now() - toldAt < PROGRESS_EVERY_MS) return;
    toldAt = performance.now();
    options.onProgress({ turn: options.turns(), tool: tool.slice(0, 100), text: text.slice(0, 200) });
  };
  const note = (role: string, content: object) =>
    options.onTranscript({ type: "message", message: { role, content: [content] } });

  return {
    take(event) {
      switch (event.kind) {
        case "session":
          session = event.id;
          return;
        case "text":
          lastMessage = event.text;
          if (event.whole) note("assistant", { type: "text", text: event.text });
          return;
        case "tool":
          toolCalls += 1;
          calls.push({ name: event.name, args: event.args });
          progress(event.name, JSON.stringify(event.args) ?? "");
          note("assistant", { type: "toolCall", name: event.name, arguments: event.args });
          note("toolResult", { type: "text", text: event.output.slice(-MAX_OUTPUT_CHARS) });
          return;
        case "error":
          lastError = event.message.slice(0, 2_000);
          return;
        case "round": {
          const stuck = circles(calls);
          calls = [];
          if (stuck !== null) options.onStuck(stuck);
        }
      }
    },
    lastMessage: () => lastMessage,
    noteLastMessage: () => note("assistant", { type: "text", text: lastMessage }),
    lastError: () => lastError,
    session: () => session,
    toolCalls: () => toolCalls,
  };
}
