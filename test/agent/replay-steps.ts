import type { ScenarioEntry } from "@agentswarm/replay";

/** One recorded answer of the model: a text, tool calls, or both. */
export type ReplayStep = Partial<NonNullable<ScenarioEntry["steps"]>[number]>;
export type ReplayCall = NonNullable<ReplayStep["calls"]>[number];
export type ReplayFault = NonNullable<ScenarioEntry["injectFault"]>;

/** One step for each call. */
export const steps = (...calls: readonly ReplayCall[]): ReplayStep[] =>
  calls.map((call) => ({ calls: [call] }));

/** An answer without a tool call: a command-line agent ends with it. */
export const DONE: ReplayStep = { say: "Done." };

export const write = (path: string, content: string): ReplayCall => ({
  tool: "write",
  args: { path, content },
});
export const bash = (command: string): ReplayCall => ({ tool: "bash", args: { command } });
export const submit = (summary = "It is done.", claim: Record<string, unknown> = {}): ReplayCall => ({
  tool: "submit",
  args: { summary, ...claim },
});

export const ask = (question: string, more: Record<string, unknown> = {}): ReplayCall => ({
  tool: "ask",
  args: { question, ...more },
});

/** Writes question.json: the way in which a command-line agent asks. */
export const writeQuestion = (question: object): ReplayCall =>
  write("../handoff/question.json", JSON.stringify(question));

/** Writes handoff.json: the way in which a command-line agent hands over. */
export const writeHandoff = (claim: object): ReplayCall =>
  write("../handoff/handoff.json", JSON.stringify(claim));
