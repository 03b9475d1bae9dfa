import { Command, CommanderError } from "commander";
import { openClient } from "@agentswarm/client";
import type { CliCommand, CliContext } from "./cli-command.ts";
import { addApprove } from "./commands/approve.ts";
import { addCancel } from "./commands/cancel.ts";
import { addDecide } from "./commands/decide.ts";
import { addDiff } from "./commands/diff.ts";
import { addEvents } from "./commands/events.ts";
import { addInbox } from "./commands/inbox.ts";
import { addJobs } from "./commands/jobs.ts";
import { addKeys } from "./commands/keys.ts";
import { addLogs } from "./commands/logs.ts";
import { addMe } from "./commands/me.ts";
import { addPause, addResume } from "./commands/pause.ts";
import { addRetry } from "./commands/retry.ts";
import { addRevert } from "./commands/revert.ts";
import { addNotes, addSay } from "./commands/say.ts";
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
  addDiff,
  addSay,
  addNotes,
  addCancel,
  addRetry,
  addRevert,
  addInbox,
  addDecide,
  addPause,
  addResume,
  addApprove,
  addJobs,
  addEvents,
  addKeys,
  addMe,
];
const FOOTER = `
  doctor [--json]                show what was found on this machine

Exit codes: 0 done · 1 refused or failed · 2 wrong usage · 3 the api cannot be reached
Settings:   SWARM_URL (by default this machine, at API_PORT) · SWARM_API_KEY; from the environment or .env
`;
/** A person waits in front of the terminal, so a connection that fails is reported within seconds. */
const MAX_RETRIES = 2;

interface CliSurroundings {
  readonly env: NodeJS.ProcessEnv;
  readonly out: NodeJS.WriteStream;
  readonly err: NodeJS.WriteStream;
}

/** Of all addresses (0.0.0.0, ::) the api answers at the loopback one. */
const ANY_ADDRESS = new Set(["0.0.0.0", "::"]);

/** Where the api is: SWARM_URL, else the API_HOST and API_PORT that `npm start` listens on. */
function urlOf(env: NodeJS.ProcessEnv): string {
  if (env["SWARM_URL"]) return env["SWARM_URL"];
  const listens = env["API_HOST"] || "127.0.0.1";
  const host = ANY_ADDRESS.has(listens) ? "127.0.0.1" : listens.includes(":") ? `[${listens}]` : listens;
  return `http://${host}:${env["API_PORT"] || "8080"}`;
}

/** Runs the `swarm` command; resolves with the exit code. */
export async function runCli(argv: readonly string[], { env, out, err }: CliSurroundings): Promise<number> {
  const key = env["SWARM_API_KEY"];
  let exitCode = 0;
  const cli: CliContext = {
    client: openClient({ url: urlOf(env), key, via: "cli", maxRetries: MAX_RETRIES }),
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
