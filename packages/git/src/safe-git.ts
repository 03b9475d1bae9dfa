import { existsSync } from "node:fs";
import { asFault, Fault } from "@agentswarm/contracts";
import { GitError, GitPluginError, simpleGit, type SimpleGit } from "simple-git";
import { credentialEnvironment, type GitCredential } from "./origin-address.ts";
import { faultOfGit } from "./fault-of-git.ts";
import { endOf, gitEnvironment, SAFE_CONFIG, TIMEOUT_MS } from "./git-environment.ts";

export interface SafeGitOptions {
  readonly cwd: string;
  /** Added to git's environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Given to git by a credential helper when the host asks for it. */
  readonly credential?: GitCredential | null | undefined;
  /** Written to git's standard input. */
  readonly input?: string;
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number;
  /** Exit codes that are answers, not failures; 0 always is one. */
  readonly answers?: readonly number[];
}

export interface SafeGitAnswer<T> {
  readonly value: T;
  /** Of the last command. */
  readonly exitCode: number;
  /** The end of it. */
  readonly stderr: string;
}

/**
 * simple-git refuses these settings by their names, because other values of them run commands. The values in SAFE_CONFIG
 * are the ones that forbid it. Everything else stays refused: editors, pagers, upload-pack, credential helpers and the rest.
 */
const ALLOWED = {
  allowUnsafeHooksPath: true,
  allowUnsafeFsMonitor: true,
  allowUnsafeProtocolOverride: true,
  // The check is made by an environment variable that an origin's own hooks would inherit; they may abbreviate.
  allowAbbreviatedOptions: true,
};

/**
 * Runs simple-git commands in the environment of `runGit`: our settings, no hooks, a deadline, an abort signal. Each
 * call has its own instance, because an instance runs its commands one after the other. Throws the same faults as `runGit`.
 *
 * For ordinary work on repositories that the user trusts; see docs/decisions/008-simple-git.md for the line.
 */
export async function safeGit<T>(
  options: SafeGitOptions,
  command: (git: SimpleGit) => Promise<T>,
): Promise<SafeGitAnswer<T>> {
  const { cwd, input, signal, credential = null, answers = [] } = options;
  if (!existsSync(cwd)) throw new Fault("git.failed", `git: ${cwd} does not exist`, { retryable: true });
  const env = gitEnvironment({
    ...options.env,
    ...(credential === null ? {} : credentialEnvironment(credential)),
  });
  let exit: { code: number | null; stderr: string } | null = null;
  const git = simpleGit({
    baseDir: cwd,
    config: [...SAFE_CONFIG],
    allowEnvironment: Object.keys(env),
    unsafe: {
      ...ALLOWED,
      allowUnsafeSshCommand: env["GIT_SSH_COMMAND"] !== undefined,
      // The helper is ours, and the setting that names it is in the environment with it.
      allowUnsafeCredentialHelper: credential !== null,
      allowUnsafeConfigEnvCount: credential !== null,
    },
    // A deadline: output does not put it off.
    timeout: { block: options.timeoutMs ?? TIMEOUT_MS, stdErr: false, stdOut: false },
    ...(signal === undefined ? {} : { abort: signal }),
    ...(input === undefined ? {} : { input: () => input }),
    errors(error, result) {
      // Null when a signal ended git, which simple-git would take for a success.
      const code = result.exitCode as number | null;
      exit = { code, stderr: Buffer.concat(result.stdErr).toString("utf8") };
      if (error instanceof GitPluginError) return error;
      return code === 0 || (code !== null && answers.includes(code))
        ? undefined
        : new Error(`exit code ${code}`);
    },
  }).env(env);
  try {
    const value = await command(git);
    const { code, stderr } = exit ?? { code: 0, stderr: "" };
    return { value, exitCode: code ?? 0, stderr: endOf(stderr) };
  } catch (cause) {
    throw faultOf(cause, exit);
  }
}

function faultOf(cause: unknown, exit: { code: number | null; stderr: string } | null): Fault {
  if (!(cause instanceof GitError)) return asFault(cause);
  // Some methods put "-c" and a setting before the command.
  const name = cause.task?.commands.find((arg) => /^[a-z][a-z-]*$/.test(String(arg)));
  const what = `git ${name ?? ""}`;
  // The deadline or the caller ended it, or simple-git refused the command.
  if (cause instanceof GitPluginError || exit === null) {
    return new Fault("git.failed", `${what}: ${cause.message}`, { cause });
  }
  const { code, stderr } = exit;
  // No code: a signal that is not ours. Below 0: git could not be started.
  const interrupted = code === null || code < 0;
  const why = `${what} (${code ?? "killed"}): ${endOf(stderr).trim() || "no output"}`;
  return faultOfGit(why, stderr, { interrupted, cause });
}
