import type { BackendChange } from "@agentswarm/llm";
import type { Sender } from "@agentswarm/queue";
import type { Logger } from "@agentswarm/service";
import { plainText } from "@agentswarm/contracts";

/** Tells that a backend gets no calls for now, or gets them again. */
export function tellBackend(sender: Sender, log: Logger, { backend, state, why }: BackendChange): void {
  log.warn({ backend, why }, state === "opened" ? "a backend gets no calls for now" : "a backend is back");
  // Every dispatcher finds out for itself, and each time is another.
  const id = `backend-${state}-${backend}-${process.pid}-${Date.now()}`;
  void sender.event(
    state === "opened"
      ? { id, type: "backend.opened", data: { backend, why: plainText(why) } }
      : { id, type: "backend.closed", data: { backend } },
  );
}
