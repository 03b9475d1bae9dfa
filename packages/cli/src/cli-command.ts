import type { Command } from "commander";
import type { SwarmClient } from "@agentswarm/client";

/** What a command works with. */
export interface CliContext {
  readonly client: SwarmClient;
  readonly out: NodeJS.WriteStream;
  readonly err: NodeJS.WriteStream;
  /** Prints one value as JSON on one line, or its text for people. */
  print(json: boolean | undefined, value: unknown, text: string): void;
  /** Sets the exit code of a command that ran to its end; 0 by default. */
  exitWith(code: number): void;
}

/** Adds one command to the program. */
export type CliCommand = (program: Command, cli: CliContext) => void;
