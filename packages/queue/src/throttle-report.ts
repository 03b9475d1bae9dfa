import { Fault } from "@agentswarm/contracts";
import { kindOf } from "./kind-of-error.ts";

const EVERY_MS = 5_000;
/** A fault with a known source repeats until somebody ends it. */
const SAME_FAULT_EVERY_MS = 60_000;

/** Reports an error; must not throw. */
export type Report = (error: unknown) => void;

/**
 * Reports one error of each kind every five seconds, or every minute for faults that are no bugs, and counts the others:
 * while Redis is full, a worker reports thousands of errors a second.
 */
export function throttleReport(report: Report, now: () => number = Date.now): Report {
  const last = new Map<string, { at: number; suppressed: number }>();
  return (error) => {
    const kind = kindOf(error);
    const before = last.get(kind);
    const everyMs = error instanceof Fault && error.source !== "bug" ? SAME_FAULT_EVERY_MS : EVERY_MS;
    if (before !== undefined && now() - before.at < everyMs) {
      before.suppressed += 1;
      return;
    }
    if (last.size > 100) last.clear();
    last.set(kind, { at: now(), suppressed: 0 });
    const suppressed = before?.suppressed ?? 0;
    const message = `${messageOf(error)} (and ${suppressed} more like it)`;
    report(suppressed === 0 ? error : new Error(message, { cause: error }));
  };
}

/** The default report: errors of a process without a logger go to stderr, so that they are seen. */
export const reportToStderr: Report = (error) => {
  process.stderr.write(`${JSON.stringify({ level: 50, msg: messageOf(error) })}\n`);
};

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
