import { pino, type DestinationStream, type Logger as PinoLogger } from "pino";
import { prettyFactory } from "pino-pretty";
import { cleanLine } from "./clean-line.ts";

/** Give work its ids with `log.child({ featureId, taskId, attempt })`; they then stand on every line. */
export type Logger = PinoLogger;

/**
 * A service's log: JSON lines on stdout, or readable ones on a terminal. What `secrets` holds, and what a field's
 * name says is secret, is masked; untrusted text is made safe for a terminal.
 */
export function createLogger(options: {
  service: string;
  level?: string;
  format?: "json" | "pretty" | undefined;
  secrets?: readonly string[];
  /** Where lines go instead of stdout. */
  destination?: DestinationStream;
}): Logger {
  const format = options.format ?? (process.stdout.isTTY ? "pretty" : "json");
  const readable = prettyFactory({
    ignore: "pid,service",
    messageFormat: "[{service}] {msg}",
    colorize: process.stdout.isTTY,
  });
  const settings = {
    level: options.level ?? "info",
    base: { service: options.service, pid: process.pid },
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    hooks: {
      streamWrite: (line: string) => {
        const clean = cleanLine(line, options.secrets ?? []);
        return format === "json" ? clean : readable(clean);
      },
    },
  };
  // Synchronous, as the last lines before an exit are those that matter.
  return pino(settings, options.destination ?? pino.destination({ dest: 1, sync: true }));
}
