const EVERY_MS = 5_000;

/** Reports an error; must not throw. */
export type Report = (error: unknown) => void;

/**
 * Reports one error of each kind every five seconds and counts the others: while Redis is full, a worker reports
 * thousands of errors a second.
 */
export function throttleReport(report: Report, now: () => number = Date.now): Report {
  const last = new Map<string, { at: number; suppressed: number }>();
  return (error) => {
    const kind = kindOf(error);
    const before = last.get(kind);
    if (before !== undefined && now() - before.at < EVERY_MS) {
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

function kindOf(error: unknown): string {
  // Job ids, counts and addresses differ from one error to the next of the same kind.
  return messageOf(error)
    .replaceAll(/[0-9a-f]{8,}|\d+/g, "#")
    .slice(0, 80);
}
