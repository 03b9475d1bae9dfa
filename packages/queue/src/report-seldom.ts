const EVERY_MS = 5_000;

/** Tells about something that went wrong; must not throw. */
export type Report = (error: unknown) => void;

/**
 * Lets one error of each kind through every five seconds, the others counted: a worker in front of a full Redis
 * reports thousands a second.
 */
export function reportSeldom(report: Report, now: () => number = Date.now): Report {
  const last = new Map<string, { at: number; unsaid: number }>();
  return (error) => {
    const kind = kindOf(error);
    const before = last.get(kind);
    if (before !== undefined && now() - before.at < EVERY_MS) {
      before.unsaid += 1;
      return;
    }
    if (last.size > 100) last.clear();
    last.set(kind, { at: now(), unsaid: 0 });
    const unsaid = before?.unsaid ?? 0;
    report(
      unsaid === 0 ? error : new Error(`${messageOf(error)} (and ${unsaid} more like it)`, { cause: error }),
    );
  };
}

/** Where nobody listens the errors go to stderr: an error that nobody sees is worse than an ugly line. */
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
