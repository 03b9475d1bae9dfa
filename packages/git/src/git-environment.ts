import type { GitLimits } from "./content-limits.ts";

/** Settings under which nothing that a repository brings along can run: no hooks, no monitors, no commands as transports. */
export const SAFE_CONFIG: readonly string[] = [
  "core.hooksPath=/dev/null",
  "core.fsmonitor=false",
  "protocol.ext.allow=never",
  "gc.auto=0",
  "maintenance.auto=false",
  "core.quotePath=false",
  // The user's own preferences would change the output that is parsed here.
  "color.ui=false",
  "log.showSignature=false",
  "advice.detachedHead=false",
];

/** The deadline of a git command, unless its caller sets another. */
export const TIMEOUT_MS = 120_000;
const STDERR_BYTES = 8_000;

const INHERITED = [
  "PATH",
  "HOME",
  "SSH_AUTH_SOCK",
  "SSL_CERT_FILE",
  "GIT_SSL_CAINFO",
  "GIT_SSH_COMMAND",
  "LD_LIBRARY_PATH",
];

/** The environment that git runs in: what it needs of ours, and nothing else. */
export function gitEnvironment(extra: Readonly<Record<string, string>> = {}): Record<string, string> {
  const env: Record<string, string> = {
    GIT_TERMINAL_PROMPT: "0",
    LC_ALL: "C",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_NO_REPLACE_OBJECTS: "1",
    // No other transport, and so no program that the name of one would start (`git-remote-<name>`).
    GIT_ALLOW_PROTOCOL: "file:git:http:https:ssh",
  };
  for (const name of INHERITED) {
    const value = process.env[name];
    if (value !== undefined) env[name] = value;
  }
  return { ...env, ...extra };
}

/** The end of git's stderr: the reason of a failure comes last. */
export function endOf(stderr: string): string {
  return stderr.slice(-STDERR_BYTES);
}

const NO_MEMORY = /out of memory|Cannot allocate memory|unable to create thread/i;
/** How a process ends that uses up its CPU time, or that cannot cope with too little memory. */
const CPU_USED_UP = "SIGXCPU";
const CRASHES: readonly (string | null)[] = ["SIGSEGV", "SIGABRT", "SIGBUS"];

/**
 * Which of its limits ended git; null: none did. A SIGKILL is none of them: the limits end no process that way, so the
 * machine or the caller did it.
 */
export function overrunOf(limits: GitLimits, killedBy: string | null, stderr: string): string | null {
  if (killedBy === CPU_USED_UP) return `needs more than ${limits.cpuSeconds} s of CPU time (limit)`;
  if (CRASHES.includes(killedBy) || NO_MEMORY.test(stderr))
    return `needs more than ${Math.floor(limits.memoryBytes / 1024 / 1024)} MiB of memory (limit)`;
  return null;
}
