import { plainText } from "@agentswarm/contracts";
import type { BackendChange } from "@agentswarm/llm";
import type { Sender } from "@agentswarm/queue";
import type { Logger } from "@agentswarm/service";

/** Logs and emits that the circuit breaker of a backend opened or closed. */
export function reportBackend(sender: Sender, log: Logger, { backend, state, why }: BackendChange): void {
  log.warn(
    { backend, why },
    state === "opened" ? "backend gets no calls for now" : "backend gets calls again",
  );
  // Every dispatcher has breakers of its own, and every opening is an event of its own.
  const id = `backend-${state}-${backend}-${process.pid}-${Date.now()}`;
  void sender.event(
    state === "opened"
      ? { id, type: "backend.opened", data: { backend, why: plainText(why) } }
      : { id, type: "backend.closed", data: { backend } },
  );
}
