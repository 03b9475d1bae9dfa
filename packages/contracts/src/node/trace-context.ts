import { AsyncLocalStorage } from "node:async_hooks";
import { childTraceparent, newTraceparent } from "../trace.ts";

const storage = new AsyncLocalStorage<string>();

/** The W3C traceparent of the work that is being done; null outside of `withTrace`. */
export function currentTrace(): string | null {
  return storage.getStore() ?? null;
}

/** Runs `work` in the context of a trace: the messages that it sends and the lines that it logs carry its trace id. */
export function withTrace<T>(traceparent: string, work: () => T): T {
  return storage.run(traceparent, work);
}

/** The traceparent of a message that is sent now: a new span of `parent`, else of the current trace, else a new trace. */
export function traceOfMessage(parent: string | null = currentTrace()): string {
  return parent === null ? newTraceparent() : childTraceparent(parent);
}
