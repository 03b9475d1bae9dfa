import type { AgentTool } from "@earendil-works/pi-agent-core";
import { Type } from "typebox";
import { agentClaimSchema, type AgentClaim } from "@agentswarm/contracts";

const list = (description: string) => Type.Optional(Type.Array(Type.String(), { description }));

const parameters = Type.Object({
  summary: Type.String({ description: "What was done, in a few sentences" }),
  outcome: Type.Optional(
    Type.Union(
      [Type.Literal("complete"), Type.Literal("partial"), Type.Literal("blocked"), Type.Literal("failed")],
      {
        description: "complete unless something of the task is missing",
      },
    ),
  ),
  did: list("What was done, point by point"),
  deviations: list("Where the work differs from the task, and why"),
  concerns: list("What the next person should look at"),
  suggestions: list("What should be done next"),
});

/** The tool with which the agent says that it is done; it ends the run and gives the handoff. */
export function createSubmitTool(onSubmit: (claim: AgentClaim) => void): AgentTool<typeof parameters> {
  return {
    name: "submit",
    label: "submit",
    description: "Hand over the finished work. Call it once, when the task is done or cannot be done.",
    parameters,
    async execute(_id, args) {
      onSubmit(agentClaimSchema.parse(args));
      return { content: [{ type: "text", text: "Handed over." }], details: undefined, terminate: true };
    },
  };
}
