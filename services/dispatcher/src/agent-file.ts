import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { Fault } from "@agentswarm/contracts";
import type { Mount } from "@agentswarm/sandbox";
import { AGENT_AT } from "./start-agent.ts";

/** The mount of the agent's one file, named by its content. Throws Fault `config.invalid` when there is no such file. */
export function mountAgentFile(file: string): Mount {
  if (!existsSync(file)) {
    throw new Fault("config.invalid", `AGENT_FILE: ${file} does not exist; npm start builds it`);
  }
  const hash = createHash("sha256").update(readFileSync(file)).digest("hex").slice(0, 24);
  return { from: file, at: AGENT_AT, key: `agent-${hash}` };
}
