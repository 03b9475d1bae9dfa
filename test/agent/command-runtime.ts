import { fileURLToPath } from "node:url";
import { agentTemplateSchema } from "@agentswarm/contracts";
import type { AttemptOptions } from "./open-attempt-lab.ts";

const AGENT = fileURLToPath(new URL("../support/command-agent", import.meta.url));
const PROGRAM = ["node", "{{agentDir}}/command-agent.mjs"];

/** The template of test/support/command-agent. */
export const TEMPLATE = {
  name: "command-agent",
  argv: PROGRAM,
  continueArgv: [...PROGRAM, "--session", "{{session}}"],
  stdin: "{{prompt}}",
  env: { OPENAI_BASE_URL: "{{baseUrl}}", OPENAI_API_KEY: "{{apiKey}}", OPENAI_MODEL: "{{model}}" },
  output: "jsonl",
} as const;

/** The same attempt with test/support/command-agent, or with the program of another template. */
export function byCommand(options: AttemptOptions, template: object = TEMPLATE): AttemptOptions {
  return {
    ...options,
    runtime: { kind: "command", template: agentTemplateSchema.parse(template) },
    mounts: [{ from: AGENT, at: ".agent" }],
  };
}
