import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { Readable, type Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { Fault } from "@agentswarm/contracts";
import type { GitLimits } from "./content-limits.ts";
import { faultOfGit } from "./fault-of-git.ts";
import { endOf, gitEnvironment, overrunOf, SAFE_CONFIG, TIMEOUT_MS } from "./git-environment.ts";

export interface GitOptions {
  readonly cwd: string;
  readonly input?: string | Buffer | Readable;
  /** A file descriptor for the output; `stdout` is then empty. */
  readonly outputTo?: number;
  /** Added to git's configuration. */
  readonly config?: readonly string[];
  /** Added to git's environment. */
  readonly env?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
  /** Output beyond this ends git with a Fault. */
  readonly maxBytes?: number;
  /** Output beyond this ends git, and the result is what came before. */
  readonly cutAtBytes?: number;
  /** For content of a sandbox: an overrun is a Fault `git.refused`, which no retry helps. */
  readonly limits?: GitLimits;
  /** Exit codes that are answers, not failures; 0 always is one. */
  readonly answers?: readonly number[];
}

export interface GitResult {
  readonly stdout: string;
  /** The end of it. */
  readonly stderr: string;
  readonly exitCode: number;
  /** Whether there was more output than `cutAtBytes`. */
  readonly cut: boolean;
}

const MAX_BYTES = 64 * 1024 * 1024;
const SAFE = SAFE_CONFIG.flatMap((setting) => ["-c", setting]);

/**
 * Runs git with an argument vector, never a shell. Throws Fault `git.failed` with the end of stderr when the exit code is
 * not an answer. The fault is retryable when git could not be started or was killed by another process. A failure of the
 * machine has a code of its own (see `faultOfGit`). With `limits` an overrun of memory, CPU time, wall time or output is a Fault `git.refused` instead, because
 * the content causes it; a cancelled command stays `git.failed`.
 */
export function runGit(args: readonly string[], options: GitOptions): Promise<GitResult> {
  const { promise, resolve, reject } = Promise.withResolvers<GitResult>();
  const { limits } = options;
  const timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
  const deadline = AbortSignal.timeout(timeoutMs);
  const signals = [deadline];
  if (options.signal !== undefined) signals.push(options.signal);
  const {
    command,
    args: argv,
    env,
  } = gitCommand(
    [...(options.config ?? []).flatMap((setting) => ["-c", setting]), ...args],
    options.env,
    limits,
  );
  const child = spawn(command, argv, {
    cwd: options.cwd,
    env,
    signal: AbortSignal.any(signals),
    killSignal: "SIGKILL",
    stdio: ["pipe", options.outputTo ?? "pipe", "pipe"],
  });
  const what = `git ${args.find((arg) => !arg.startsWith("-")) ?? ""}`;
  const { cutAtBytes = Number.POSITIVE_INFINITY, maxBytes = MAX_BYTES } = options;
  const chunks: Buffer[] = [];
  let bytes = 0;
  let cut = false;
  let stderr = "";
  child.stdout?.on("data", (chunk: Buffer) => {
    if (cut) return;
    const room = cutAtBytes - bytes;
    bytes += chunk.length;
    cut = chunk.length > room;
    if (cut) chunks.push(chunk.subarray(0, room));
    if (cut || bytes > maxBytes) child.kill("SIGKILL");
    else chunks.push(chunk);
  });
  child.stderr?.on("data", (chunk: Buffer) => {
    stderr = endOf(stderr + chunk.toString());
  });
  child.on("error", (cause) => {
    if (limits !== undefined && deadline.aborted && options.signal?.aborted !== true) {
      reject(new Fault("git.refused", `${what} needs more than ${timeoutMs / 1_000} s (limit)`, { cause }));
      return;
    }
    // Git did not start, so nothing is known about the repository: retry, unless the caller aborted.
    const retryable = cause.name !== "AbortError";
    const why = existsSync(options.cwd) ? cause.message : `${options.cwd} does not exist`;
    reject(new Fault("git.failed", `${what}: ${why}`, { cause, retryable }));
  });
  child.on("close", (code, killedBy) => {
    const exitCode = code ?? -1;
    if (exitCode === 0 || cut || options.answers?.includes(exitCode)) {
      resolve({ stdout: Buffer.concat(chunks).toString("utf8"), stderr, exitCode, cut });
    } else {
      const tooMuch = bytes > maxBytes;
      const why = tooMuch ? `more than ${maxBytes} bytes of output` : stderr.trim();
      const overrun = limits && (tooMuch ? `writes ${why} (limit)` : overrunOf(limits, killedBy, stderr));
      if (overrun) {
        reject(new Fault("git.refused", `${what} ${overrun}`));
        return;
      }
      const interrupted = killedBy !== null && !tooMuch;
      reject(faultOfGit(`${what} (${killedBy ?? exitCode}): ${why}`, stderr, { interrupted }));
    }
  });
  // Git may end without reading its input.
  child.stdin?.on("error", () => undefined);
  const stdin = child.stdin as Writable;
  if (options.input instanceof Readable) void pipeline(options.input, stdin).catch(() => undefined);
  else stdin.end(options.input ?? "");
  return promise;
}

/** Sets limits on a process before git takes its place. Where a system has no such limit, git runs without it. */
const LIMITED = `ulimit -S -d "$1" 2>/dev/null
ulimit -S -t "$2" 2>/dev/null
shift 2
exec git "$@"`;

/** The command line and environment of git, for callers that keep it running. */
export function gitCommand(
  args: readonly string[],
  extra: Readonly<Record<string, string>> = {},
  limits?: GitLimits,
): { command: string; args: string[]; env: NodeJS.ProcessEnv } {
  const env = gitEnvironment(extra);
  if (limits === undefined) return { command: "git", args: [...SAFE, ...args], env };
  const allowed = [`${Math.floor(limits.memoryBytes / 1024)}`, `${limits.cpuSeconds}`];
  return { command: "sh", args: ["-c", LIMITED, "git", ...allowed, ...SAFE, ...args], env };
}
