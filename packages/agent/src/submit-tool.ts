import type { AgentTool } from "@earendil-works/pi-agent-core";
import { Type } from "typebox";
import { agentClaimSchema, HANDOFF_LIMITS, type AgentClaim } from "@agentswarm/contracts";
import { CLAIM_FIELDS } from "./prompts.ts";

const list = (description: string) => Type.Optional(Type.Array(Type.String(), { description }));

const parameters = Type.Object({
  summary: Type.String({ description: CLAIM_FIELDS.summary }),
  outcome: Type.Optional(
    Type.Union(
      [Type.Literal("complete"), Type.Literal("partial"), Type.Literal("blocked"), Type.Literal("failed")],
      { description: CLAIM_FIELDS.outcome },
    ),
  ),
  did: list(CLAIM_FIELDS.did),
  deviations: list(CLAIM_FIELDS.deviations),
  concerns: list(CLAIM_FIELDS.concerns),
  suggestions: list(CLAIM_FIELDS.suggestions),
});

/** The tool with which the agent hands over its work. A call ends the agent's run. */
export function createSubmitTool(onSubmit: (claim: AgentClaim) => void): AgentTool<typeof parameters> {
  return {
    name: "submit",
    label: "submit",
    description:
      "Hand over the finished work. Call it once, when the task is done or cannot be done. A reviewer decides by this report and by the changes whether the request is met.",
    parameters,
    async execute(_id, args) {
      // The agent can shorten its summary itself; the schema would cut it.
      if (args.summary.length > HANDOFF_LIMITS.summaryChars)
        throw new Error(`summary: longer than ${HANDOFF_LIMITS.summaryChars} characters`);
      onSubmit(agentClaimSchema.parse(args));
      return { content: [{ type: "text", text: "Handed over." }], details: undefined, terminate: true };
    },
  };
}
