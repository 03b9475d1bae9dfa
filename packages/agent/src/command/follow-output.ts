import { PROGRESS_INTERVAL_MS, type Progress } from "@agentswarm/contracts";
import { watchLoops, type SessionStop } from "../watch-limits.ts";
import type { OutputEvent } from "./output-parser.ts";

/** What the output of one run has shown so far. */
export interface OutputFollower {
  onEvent(event: OutputEvent): void;
  /** The newest text; earlier ones are in the transcript only. */
  lastMessage(): string;
  /** Writes a message that grew line by line into the transcript. */
  recordLastMessage(): void;
  lastError(): string;
  session(): string | null;
  toolCalls(): number;
}

export interface FollowOutputOptions {
  readonly turns: () => number;
  readonly onStuck: (why: SessionStop) => void;
  readonly onProgress: (progress: Progress) => void;
  readonly onTranscript: (entry: object) => void;
}

const MAX_OUTPUT_CHARS = 20_000;
const MAX_ERROR_CHARS = 2_000;

/** Follows the output of one run: reports progress, writes the transcript and detects loops. */
export function followOutput(options: FollowOutputOptions): OutputFollower {
  // Loops are detected within one run: between two runs the agent got new feedback from the checks.
  const loopIn = watchLoops();
  let calls: { name: string; args: unknown }[] = [];
  let [lastMessage, lastError] = ["", ""];
  let session: string | null = null;
  let toolCalls = 0;
  let progressAt = -Infinity;

  const reportProgress = (tool: string, text: string) => {
    if (performance.now() - progressAt < PROGRESS_INTERVAL_MS) return;
    progressAt = performance.now();
    options.onProgress({ turn: options.turns(), tool: tool.slice(0, 100), text: text.slice(0, 200) });
  };
  const record = (role: string, content: object) =>
    options.onTranscript({ type: "message", message: { role, content: [content] } });

  return {
    onEvent(event) {
      switch (event.kind) {
        case "session":
          session = event.id;
          return;
        case "text":
          lastMessage = event.text;
          if (event.whole) record("assistant", { type: "text", text: event.text });
          return;
        case "tool":
          toolCalls += 1;
          calls.push({ name: event.name, args: event.args });
          reportProgress(event.name, JSON.stringify(event.args) ?? "");
          record("assistant", { type: "toolCall", name: event.name, arguments: event.args });
          record("toolResult", { type: "text", text: event.output.slice(-MAX_OUTPUT_CHARS) });
          return;
        case "error":
          lastError = event.message.slice(0, MAX_ERROR_CHARS);
          return;
        case "turn-end": {
          const stuck = loopIn(calls);
          calls = [];
          if (stuck !== null) options.onStuck(stuck);
        }
      }
    },
    lastMessage: () => lastMessage,
    recordLastMessage: () => record("assistant", { type: "text", text: lastMessage }),
    lastError: () => lastError,
    session: () => session,
    toolCalls: () => toolCalls,
  };
}
