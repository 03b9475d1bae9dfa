import { execFile } from "node:child_process";
import { chmodSync, cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** A user id that no account has. */
const UID = 54_321;
const SANDBOX = join(import.meta.dirname, "../../packages/sandbox/src");

/** Whether the tests run as root, so that a program must change to another user to be an ordinary one. */
export const isRoot = process.getuid?.() === 0;

/**
 * Runs a program of Node as an ordinary user: as this one, or where this one is root as a user without an account. The
 * program is an expression that sees `provider`, the local one, and `attack`; its value is the result. Returns the reason
 * as a string where there is no such user who can read this repository and open sandboxes of bubblewrap.
 */
export async function runAsOrdinaryUser<T>(program: string): Promise<{ result: T } | string> {
  return runWithProvider<T>(
    program,
    isRoot ? ["setpriv", `--reuid=${UID}`, `--regid=${UID}`, "--clear-groups"] : [],
  );
}

/** As `runAsOrdinaryUser`, as the user who runs the tests. */
export async function runAsThisUser<T>(program: string): Promise<{ result: T } | string> {
  return runWithProvider<T>(program, []);
}

async function runWithProvider<T>(program: string, prefix: string[]): Promise<{ result: T } | string> {
  const home = mkdtempSync(join(tmpdir(), "swarm-user-"));
  chmodSync(home, 0o777);
  const tools = readableTools(home);
  const script = `
    const { openLocalProvider } = await import(${JSON.stringify(join(SANDBOX, "local/local-provider.ts"))});
    const home = ${JSON.stringify(home)};
    const options = { home, swarm: "attack", tools: ${JSON.stringify(tools)}, allowUnisolated: false };
    const provider = await openLocalProvider(options).catch((error) => {
      console.log(JSON.stringify({ unavailable: String(error) }));
      process.exit(0);
    });
    const openOne = async (limits = {}) => provider.open({ labels: { swarm: "attack", purpose: "test" }, limits });
    /** Runs a program until its sandbox ends it. */
    const attack = async (limits, argv, timeoutMs = 15_000) => {
      const sandbox = await openOne(limits);
      const startedAt = performance.now();
      const { timedOut, exitCode, outputTail } = await sandbox.run(argv, { timeoutMs });
      const tookMs = performance.now() - startedAt;
      await sandbox.terminate();
      return { timedOut, exitCode, outputTail, tookMs, reached: sandbox.reached() };
    };
    console.log(JSON.stringify({ result: await (async () => (${program}))() }));`;
  try {
    const node = [process.execPath, "--input-type=module-typescript", "-e", script];
    const [command = "", ...args] = [...prefix, ...node];
    const { stdout } = await run(command, args, { env: { ...process.env, HOME: home }, timeout: 60_000 });
    const printed = JSON.parse(stdout) as { result: T } | { unavailable: string };
    return "unavailable" in printed ? printed.unavailable : printed;
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: string };
    // Only what says that this user cannot start the program at all.
    const reason = stderr || message;
    if (/^spawn setpriv ENOENT|^setpriv: |ERR_MODULE_NOT_FOUND/m.test(reason)) return reason;
    throw error;
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

/** The unpacked tools where every user can read them: SWARM_HOME, which holds them, is closed to other users. */
function readableTools(home: string): string | undefined {
  const unpacked = process.env["SWARM_TOOLS"];
  if (unpacked === undefined) return undefined;
  const copy = join(home, "tools");
  cpSync(unpacked, copy, { recursive: true, verbatimSymlinks: true });
  return copy;
}

/** What `attack` of the program returns. */
export interface Attacked {
  readonly timedOut: boolean;
  readonly exitCode: number;
  readonly outputTail: string;
  readonly tookMs: number;
  readonly reached: string | null;
}
