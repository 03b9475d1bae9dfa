import { findSwarmKey } from "@agentswarm/contracts";
import { assembleStep, type Recorder } from "@agentswarm/llm";
import type { Logger } from "@agentswarm/service";

/** Records one exchange between an agent and the model. */
export interface ExchangeRecorder {
  onEvent(event: object): void;
  /** Writes the exchange once the agent has all of it. Never throws: a run continues without its record. */
  save(conversation: string): Promise<void>;
}

interface RequestMessage {
  role?: string;
  content?: string | { text?: string }[] | null;
}

/** Null for a call without a Swarm-Key: the replay could not find it. */
export function openExchangeRecorder(
  recorder: Recorder,
  body: Record<string, unknown>,
  log: Logger,
): ExchangeRecorder | null {
  const messages = (Array.isArray(body["messages"]) ? body["messages"] : []) as RequestMessage[];
  const key = findSwarmKey(messages.map(({ role = "", content }) => ({ role, text: textOf(content) })));
  if (key === null) return null;
  const events: object[] = [];
  return {
    onEvent: (event) => void events.push(event),
    async save(conversation) {
      try {
        const step = assembleStep(events);
        if (step !== null) await recorder.recordStep(key, conversation, step);
      } catch (error) {
        log.warn({ err: error, swarmKey: key }, "an exchange with the model could not be recorded");
      }
    },
  };
}

function textOf(content: RequestMessage["content"]): string {
  return typeof content === "string" ? content : (content ?? []).map(({ text = "" }) => text).join("\n");
}
