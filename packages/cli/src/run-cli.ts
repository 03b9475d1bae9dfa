import { Command, CommanderError } from "commander";
import { openClient } from "@agentswarm/client";
import type { CliCommand, CliContext } from "./cli-command.ts";
import { addApprove } from "./commands/approve.ts";
import { addCancel } from "./commands/cancel.ts";
import { addJobs } from "./commands/jobs.ts";
import { addLogs } from "./commands/logs.ts";
import { addRetry } from "./commands/retry.ts";
import { addStatus } from "./commands/status.ts";
import { addSubmit } from "./commands/submit.ts";
import { addWatch } from "./commands/watch.ts";
import { explainError } from "./explain-error.ts";

/** In the order of the help text. */
const COMMANDS: readonly CliCommand[] = [
  addSubmit,
  addStatus,
  addWatch,
  addLogs,
  addCancel,
  addRetry,
  addApprove,
  addJobs,
];
const FOOTER = `
  doctor [--json]                show what was found on this machine

Exit codes: 0 done · 1 refused or failed · 2 wrong usage · 3 the api cannot be reached
Settings:   SWARM_URL (http://127.0.0.1:8080) · SWARM_API_KEY
`;
/** A person waits in front of the terminal, so a connection that fails is reported within seconds. */
const MAX_RETRIES = 2;

interface CliSurroundings {
  readonly env: NodeJS.ProcessEnv;
  readonly out: NodeJS.WriteStream;
  readonly err: NodeJS.WriteStream;
}

/** Runs the `swarm` command; resolves with the exit code. */
export async function runCli(argv: readonly string[], { env, out, err }: CliSurroundings): Promise<number> {
  const key = env["SWARM_API_KEY"];
  let exitCode = 0;
  const cli: CliContext = {
    client: openClient({ url: env["SWARM_URL"] || "http://127.0.0.1:8080", key, maxRetries: MAX_RETRIES }),
    out,
    err,
    print: (json, value, text) => void out.write(json ? `${JSON.stringify(value)}\n` : `${text}\n`),
    exitWith: (code) => {
      exitCode = code;
    },
  };
  const program = new Command("swarm")
    .description("Submit features to the swarm and follow their progress")
    .addHelpText("after", FOOTER)
    .configureOutput({ writeOut: (text) => out.write(text), writeErr: (text) => err.write(text) })
    .exitOverride();
  for (const add of COMMANDS) add(program, cli);
  try {
    await program.parseAsync(["node", "swarm", ...argv]);
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    const { code, message } = explainError(error, key !== undefined);
    err.write(`${message}\n`);
    return code;
  }
}
