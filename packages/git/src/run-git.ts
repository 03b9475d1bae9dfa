import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { Readable, type Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { Fault } from "@agentswarm/contracts";

export interface GitOptions {
  readonly cwd: string;
  readonly input?: string | Buffer | Readable;
  /** A file descriptor that gets the output instead of the result. */
  readonly outputTo?: number;
  /** Added to git's configuration. */
  readonly config?: readonly string[];
  /** Added to git's environment. */
  readonly env?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
  /** Output beyond this ends git with a Fault. */
  readonly maxBytes?: number;
  /** Exit codes that are answers, not failures; 0 always is. */
  readonly answers?: readonly number[];
}

export interface GitResult {
  readonly stdout: string;
  /** Its end. */
  readonly stderr: string;
  readonly exitCode: number;
}

const MAX_BYTES = 64 * 1024 * 1024;
const STDERR_BYTES = 8_000;
const TIMEOUT_MS = 120_000;
/** What the machine is to blame for, at the end of a line, where no name that somebody chose stands. */
const MACHINE =
  /: (?:No space left on device|Disk quota exceeded|Input\/output error|Read-only file system|Cannot allocate memory|Too many open files|Resource temporarily unavailable)$/m;

/** Nothing that a repository brings along may run: no hooks, no monitors, no transports that name a command. */
const SAFE = [
  "core.hooksPath=/dev/null",
  "core.fsmonitor=false",
  "protocol.ext.allow=never",
  "gc.auto=0",
  "maintenance.auto=false",
  "core.quotePath=false",
  // What the user likes to see would be in the way of what is parsed.
  "color.ui=false",
  "log.showSignature=false",
  "advice.detachedHead=false",
].flatMap((setting) => ["-c", setting]);

/**
 * Runs git with an argument vector, never a shell. Throws Fault `git.failed` with the end of stderr when it exits
 * with a code that is no answer; retryable when it could not be started, was killed by somebody else, or the machine
 * could not do it.
 */
export function runGit(args: readonly string[], options: GitOptions): Promise<GitResult> {
  const { promise, resolve, reject } = Promise.withResolvers<GitResult>();
  const signals = [AbortSignal.timeout(options.timeoutMs ?? TIMEOUT_MS)];
  if (options.signal !== undefined) signals.push(options.signal);
  const {
    command,
    args: argv,
    env,
  } = gitCommand([...(options.config ?? []).flatMap((setting) => ["-c", setting]), ...args], options.env);
  const child = spawn(command, argv, {
    cwd: options.cwd,
    env,
    signal: AbortSignal.any(signals),
    killSignal: "SIGKILL",
    stdio: ["pipe", options.outputTo ?? "pipe", "pipe"],
  });
  const what = `git ${args.find((arg) => !arg.startsWith("-")) ?? ""}`;
  const maxBytes = options.maxBytes ?? MAX_BYTES;
  const chunks: Buffer[] = [];
  let bytes = 0;
  let stderr = "";
  child.stdout?.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > maxBytes) child.kill("SIGKILL");
    else chunks.push(chunk);
  });
  child.stderr?.on("data", (chunk: Buffer) => {
    stderr = (stderr + chunk.toString()).slice(-STDERR_BYTES);
  });
  child.on("error", (cause) => {
    // Without an answer from git nothing is known about what it was to work on.
    const retryable = cause.name !== "AbortError";
    const why = existsSync(options.cwd) ? cause.message : `${options.cwd} is not there`;
    reject(new Fault("git.failed", `${what}: ${why}`, { cause, retryable }));
  });
  child.on("close", (code, killedBy) => {
    const exitCode = code ?? -1;
    if (exitCode === 0 || options.answers?.includes(exitCode)) {
      resolve({ stdout: Buffer.concat(chunks).toString("utf8"), stderr, exitCode });
    } else {
      const tooMuch = bytes > maxBytes;
      const why = tooMuch ? `more than ${maxBytes} bytes of output` : stderr.trim();
      const retryable = (killedBy !== null && !tooMuch) || MACHINE.test(stderr);
      reject(new Fault("git.failed", `${what} (${killedBy ?? exitCode}): ${why}`, { retryable }));
    }
  });
  // A git that ends without reading its input is no failure of ours.
  child.stdin?.on("error", () => undefined);
  const stdin = child.stdin as Writable;
  if (options.input instanceof Readable) void pipeline(options.input, stdin).catch(() => undefined);
  else stdin.end(options.input ?? "");
  return promise;
}

/** How git is started, for whoever has to talk to it while it runs. */
export function gitCommand(
  args: readonly string[],
  extra: Readonly<Record<string, string>> = {},
): { command: string; args: string[]; env: NodeJS.ProcessEnv } {
  return { command: "git", args: [...SAFE, ...args], env: gitEnvironment(extra) };
}

function gitEnvironment(extra: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const kept = [
    "PATH",
    "HOME",
    "SSH_AUTH_SOCK",
    "SSL_CERT_FILE",
    "GIT_SSL_CAINFO",
    "GIT_SSH_COMMAND",
    "LD_LIBRARY_PATH",
  ];
  const env: NodeJS.ProcessEnv = {
    GIT_TERMINAL_PROMPT: "0",
    LC_ALL: "C",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_NO_REPLACE_OBJECTS: "1",
  };
  for (const name of kept) {
    const value = process.env[name];
    if (value !== undefined) env[name] = value;
  }
  return { ...env, ...extra };
}
