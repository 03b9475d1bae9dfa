import { pino, type Logger as PinoLogger } from "pino";
import pretty from "pino-pretty";

export type Logger = PinoLogger;

const SECRET_KEYS = ["token", "apiKey", "authorization", "password", "secret", "gatewayKey", "LLM_API_KEY"];
const SECRET_PATHS = SECRET_KEYS.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]);

/**
 * A service's log: JSON lines on stdout, or readable ones on a terminal. Secrets are masked by the name of their
 * field, and those of `secrets` wherever they stand.
 */
export function createLogger(options: {
  service: string;
  level?: string;
  format?: "json" | "pretty" | undefined;
  secrets?: readonly string[];
}): Logger {
  const format = options.format ?? (process.stdout.isTTY ? "pretty" : "json");
  const secrets = (options.secrets ?? []).filter((secret) => secret.length >= 8);
  const settings = {
    level: options.level ?? "info",
    base: { service: options.service, pid: process.pid },
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    redact: { paths: SECRET_PATHS, censor: "[redacted]" },
    hooks: {
      streamWrite: (line: string) =>
        secrets.reduce((text, secret) => text.replaceAll(secret, "[redacted]"), line),
    },
  };
  if (format === "json") return pino(settings);
  return pino(settings, pretty({ ignore: "pid", messageFormat: "[{service}] {msg}", hideObject: false }));
}
