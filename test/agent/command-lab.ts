import { fileURLToPath } from "node:url";
import { agentTemplateSchema, type AgentRuntime } from "@agentswarm/contracts";
import type { Mount } from "@agentswarm/sandbox";
import type { Order } from "./attempt-lab.ts";

const AGENT = fileURLToPath(new URL("../support/command-agent", import.meta.url));
const PROGRAM = ["node", "{{agentDir}}/command-agent.mjs"];

/** The small agent of these tests as a template. */
export const TEMPLATE = {
  name: "command-agent",
  argv: PROGRAM,
  continueArgv: [...PROGRAM, "--session", "{{session}}"],
  stdin: "{{prompt}}",
  env: { OPENAI_BASE_URL: "{{baseUrl}}", OPENAI_API_KEY: "{{apiKey}}", OPENAI_MODEL: "{{model}}" },
  output: "jsonl",
} as const;

export const commandRuntime = (template: object): AgentRuntime => ({
  kind: "command",
  template: agentTemplateSchema.parse(template),
});

export const AGENT_MOUNT: Mount = { from: AGENT, at: ".agent" };

/** An order for the lab that is run by the small agent. */
export function byCommand(order: Order, template: object = TEMPLATE): Order {
  return { ...order, runtime: commandRuntime(template), mounts: [AGENT_MOUNT] };
}

/** A call with which it hands over. */
export const handOver = (claim: object) => ({
  tool: "write",
  args: { path: "../handoff/handoff.json", content: JSON.stringify(claim) },
});
