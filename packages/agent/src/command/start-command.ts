import { spawn } from "node:child_process";
import { splitLines } from "./split-lines.ts";

export interface CommandOrder {
  readonly argv: readonly string[];
  readonly cwd: string;
  /** All of its environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly stdin: string;
  readonly onLine: (line: string) => void;
}

export interface CommandEnd {
  /** Null when it was killed or could not be started. */
  readonly code: number | null;
  readonly signal: string | null;
  /** Why it could not be started, such as ENOENT; null when it was. */
  readonly notStarted: string | null;
  readonly stderrTail: string;
}

export interface RunningCommand {
  readonly ended: Promise<CommandEnd>;
  /** Kills it with all it has started. */
  kill(): void;
}

const STDERR_CHARS = 4_000;
/** How long after its end its output is still waited for, where something that left its group holds it. */
const LETTING_GO_MS = 1_000;

/** Starts a program in a process group of its own. When it ends, whatever it leaves running in there is killed. */
export function startCommand(order: CommandOrder): RunningCommand {
  try {
    return follow(begin(order), order);
  } catch (error) {
    // Such as arguments that are too long, which node does not tell by an event.
    const notStarted = codeOf(error as NodeJS.ErrnoException);
    return { ended: Promise.resolve({ code: null, signal: null, notStarted, stderrTail: "" }), kill() {} };
  }
}

function begin({ argv, cwd, env }: CommandOrder) {
  const [program = "", ...args] = argv;
  return spawn(program, args, { cwd, env, detached: true, stdio: ["pipe", "pipe", "pipe"] });
}

function codeOf(error: NodeJS.ErrnoException): string {
  return error.code ?? error.message;
}

function follow(child: ReturnType<typeof begin>, order: CommandOrder): RunningCommand {
  const kill = () => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    } catch {
      // Nothing of it is left.
    }
  };
  // Where no sandbox ends with the runner, nothing else would end it.
  process.once("exit", kill);
  let stderrTail = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderrTail = (stderrTail + text).slice(-STDERR_CHARS);
  });
  splitLines(child.stdout, order.onLine);
  // It need not read what it is given.
  child.stdin.on("error", () => undefined);
  child.stdin.end(order.stdin);

  const { promise: ended, resolve } = Promise.withResolvers<CommandEnd>();
  let notStarted: string | null = null;
  child.on("error", (error: NodeJS.ErrnoException) => {
    notStarted = codeOf(error);
  });
  child.on("exit", () => {
    kill();
    setTimeout(() => {
      child.stdout.destroy();
      child.stderr.destroy();
    }, LETTING_GO_MS).unref();
  });
  child.on("close", (code, signal) => {
    process.removeListener("exit", kill);
    resolve({ code: notStarted === null ? code : null, signal, notStarted, stderrTail });
  });
  return { ended, kill };
}
