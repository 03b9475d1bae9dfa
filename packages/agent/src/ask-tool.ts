import type { AgentTool } from "@earendil-works/pi-agent-core";
import { Type } from "typebox";
import { agentQuestionSchema, type AgentQuestion, type QuestionAnswer } from "@agentswarm/contracts";
import { QUESTION_FIELDS } from "./prompts.ts";

const parameters = Type.Object({
  question: Type.String({ description: QUESTION_FIELDS.question }),
  options: Type.Optional(Type.Array(Type.String(), { description: QUESTION_FIELDS.options })),
  default: Type.Optional(Type.String({ description: QUESTION_FIELDS.default })),
  why: Type.Optional(Type.String({ description: QUESTION_FIELDS.why })),
});

/** The tool with which the agent asks people. `onParked`: nobody has answered in time, and the call ends the agent's run. */
export function createAskTool(
  ask: (question: AgentQuestion) => Promise<QuestionAnswer>,
  onParked: () => void,
): AgentTool<typeof parameters> {
  return {
    name: "ask",
    label: "ask",
    description:
      "Ask the people who run the swarm. Rarely: only when neither the task nor the repository answers it and a wrong guess would waste the work. Before it, do all work that does not depend on the answer.",
    parameters,
    async execute(_id, args) {
      const answer = await ask(agentQuestionSchema.parse(args));
      if (answer.kind === "parked") onParked();
      return {
        content: [{ type: "text", text: describeAnswer(answer) }],
        details: undefined,
        terminate: answer.kind === "parked",
      };
    },
  };
}

/** An answer as the agent reads it. */
export function describeAnswer(answer: QuestionAnswer): string {
  if (answer.kind === "answered") return answer.text;
  if (answer.kind === "refused") return `Nobody was asked: ${answer.why}.`;
  return "Nobody has answered yet. Your work is kept, and goes on when there is an answer.";
}
