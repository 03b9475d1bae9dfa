import type { BackendChange } from "@agentswarm/llm";
import type { Sender } from "@agentswarm/queue";
import type { Logger } from "@agentswarm/service";
import { plainText } from "@agentswarm/contracts";

/** Tells that a backend gets no calls for now, or gets them again. */
export function tellBackend(sender: Sender, log: Logger, { backend, state, why }: BackendChange): void {
  const type = `backend.${state}` as const;
  const data = state === "opened" ? { backend, why: plainText(why) } : { backend };
  log.warn({ backend, why }, state === "opened" ? "a backend gets no calls for now" : "a backend is back");
  // Every dispatcher finds out for itself, and each time is another.
  void sender.event({ id: `backend-${state}-${backend}-${process.pid}-${Date.now()}`, type, data });
}
