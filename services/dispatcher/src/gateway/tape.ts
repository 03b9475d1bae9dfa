import { findSwarmKey } from "@agentswarm/contracts";
import { assembleTurn, type Recorder } from "@agentswarm/llm";
import type { Logger } from "@agentswarm/service";

/** Takes down one exchange. */
export interface Tape {
  hear(event: object): void;
  /** The exchange is over, and the agent has all of it. Never throws: a run goes on without its record. */
  keep(conversation: string): Promise<void>;
}

interface Said {
  role?: string;
  content?: string | { text?: string }[] | null;
}

/** A call without a Swarm-Key could not be found when it is played, so it is not taken down. */
export function openTape(recorder: Recorder, body: Record<string, unknown>, log: Logger): Tape | null {
  const messages = (Array.isArray(body["messages"]) ? body["messages"] : []) as Said[];
  const key = findSwarmKey(messages.map(({ role = "", content }) => ({ role, text: textOf(content) })));
  if (key === null) return null;
  const events: object[] = [];
  return {
    hear: (event) => void events.push(event),
    async keep(conversation) {
      try {
        const turn = assembleTurn(events);
        if (turn !== null) await recorder.turn(key, conversation, turn);
      } catch (error) {
        log.warn({ err: error, key }, "an exchange could not be recorded");
      }
    },
  };
}

function textOf(content: Said["content"]): string {
  return typeof content === "string" ? content : (content ?? []).map(({ text = "" }) => text).join("\n");
}
