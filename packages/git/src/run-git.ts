import { spawn } from "node:child_process";
import { Fault } from "@agentswarm/contracts";

export interface GitOptions {
  readonly cwd: string;
  readonly input?: string | Buffer;
  /** A file descriptor that gets the output instead of the result. */
  readonly outputTo?: number;
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
  readonly exitCode: number;
}

const MAX_BYTES = 64 * 1024 * 1024;
const STDERR_BYTES = 8_000;
const TIMEOUT_MS = 120_000;

/** Nothing that a repository brings along may run: no hooks, no monitors, no transports that name a command. */
const SAFE = [
  "core.hooksPath=/dev/null",
  "core.fsmonitor=false",
  "protocol.ext.allow=never",
  "gc.auto=0",
  "maintenance.auto=false",
  "core.quotePath=false",
  "advice.detachedHead=false",
].flatMap((setting) => ["-c", setting]);

/**
 * Runs git with an argument vector, never a shell. Throws Fault `git.failed` with the end of stderr when it exits
 * with a code that is no answer.
 */
export function runGit(args: readonly string[], options: GitOptions): Promise<GitResult> {
  const { promise, resolve, reject } = Promise.withResolvers<GitResult>();
  const signals = [AbortSignal.timeout(options.timeoutMs ?? TIMEOUT_MS)];
  if (options.signal !== undefined) signals.push(options.signal);
  const { command, args: argv, env } = gitCommand(args, options.env);
  const child = spawn(command, argv, {
    cwd: options.cwd,
    env,
    signal: AbortSignal.any(signals),
    killSignal: "SIGKILL",
    stdio: ["pipe", options.outputTo ?? "pipe", "pipe"],
  });
  const what = `git ${args.find((arg) => !arg.startsWith("-")) ?? ""}`;
  const chunks: Buffer[] = [];
  let bytes = 0;
  let stderr = "";
  child.stdout?.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > (options.maxBytes ?? MAX_BYTES)) child.kill("SIGKILL");
    else chunks.push(chunk);
  });
  child.stderr?.on("data", (chunk: Buffer) => {
    stderr = (stderr + chunk.toString()).slice(-STDERR_BYTES);
  });
  child.on("error", (cause) => {
    reject(new Fault("git.failed", `${what}: ${cause.message}`, { cause }));
  });
  child.on("close", (code) => {
    const exitCode = code ?? -1;
    if (exitCode === 0 || options.answers?.includes(exitCode)) {
      resolve({ stdout: Buffer.concat(chunks).toString("utf8"), exitCode });
    } else {
      reject(new Fault("git.failed", `${what} (${exitCode}): ${stderr.trim()}`));
    }
  });
  // A git that ends without reading its input is no failure of ours.
  child.stdin?.on("error", () => undefined);
  child.stdin?.end(options.input ?? "");
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
