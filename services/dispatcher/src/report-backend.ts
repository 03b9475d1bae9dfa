import { plainText } from "@agentswarm/contracts";
import type { BackendChange } from "@agentswarm/llm";
import type { BackendOutages, Sender } from "@agentswarm/queue";
import type { Logger } from "@agentswarm/service";

/** Logs, notes and emits that the circuit breaker of a backend opened or closed. */
export function reportBackend(
  {
    sender,
    log,
    outages,
  }: { readonly sender: Sender; readonly log: Logger; readonly outages: BackendOutages },
  { backend, state, why }: BackendChange,
): void {
  log.warn(
    { backend, why },
    state === "opened" ? "backend gets no calls for now" : "backend gets calls again",
  );
  const noted = state === "opened" ? outages.began(backend, plainText(why)) : outages.ended(backend);
  noted.catch((error: unknown) =>
    log.warn({ err: error, backend }, "the state of a backend could not be noted"),
  );
  // Every dispatcher has breakers of its own, and every opening is an event of its own.
  const id = `backend-${state}-${backend}-${process.pid}-${Date.now()}`;
  void sender.event(
    state === "opened"
      ? { id, type: "backend.opened", data: { backend, why: plainText(why) } }
      : { id, type: "backend.closed", data: { backend } },
  );
}
