import { pino, type DestinationStream, type Logger as PinoLogger } from "pino";
import { prettyFactory } from "pino-pretty";
import { traceIdOf } from "@agentswarm/contracts";
import { currentTrace } from "@agentswarm/contracts/node";
import { cleanLine } from "./clean-line.ts";

/** `log.child({ featureId, taskId, attempt })` puts these ids on every line of that child. */
export type Logger = PinoLogger;

/**
 * Creates a service's log: JSON lines on stdout, or readable lines on a terminal. Masks the values in `secrets` and
 * the fields with a secret's name. Removes escape sequences from untrusted text. A line that is written while a message
 * is handled carries the trace id of the request that caused the message.
 */
export function createLogger(options: {
  service: string;
  level?: string;
  format?: "json" | "pretty" | undefined;
  secrets?: readonly string[];
  /** Receives the lines instead of stdout. */
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
    mixin: traceOfLine,
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    hooks: {
      streamWrite: (line: string) => {
        const clean = cleanLine(line, options.secrets ?? []);
        return format === "json" ? clean : readable(clean);
      },
    },
  };
  // Synchronous, so that the last lines before an exit are not lost.
  return pino(settings, options.destination ?? pino.destination({ dest: 1, sync: true }));
}

function traceOfLine(): { traceId?: string } {
  const trace = currentTrace();
  const traceId = trace === null ? null : traceIdOf(trace);
  return traceId === null ? {} : { traceId };
}
