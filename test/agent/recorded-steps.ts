import type { ScenarioEntry } from "@agentswarm/replay";

/** One recorded answer of the model: a text, tool calls, or both. */
export type RecordedStep = Partial<NonNullable<ScenarioEntry["steps"]>[number]>;
export type RecordedCall = NonNullable<RecordedStep["calls"]>[number];
export type RecordedFault = NonNullable<ScenarioEntry["injectFault"]>;

/** One step for each call. */
export const steps = (...calls: readonly RecordedCall[]): RecordedStep[] =>
  calls.map((call) => ({ calls: [call] }));

/** An answer without a tool call: a command-line agent ends with it. */
export const DONE: RecordedStep = { say: "Done." };

export const write = (path: string, content: string): RecordedCall => ({
  tool: "write",
  args: { path, content },
});
export const bash = (command: string): RecordedCall => ({ tool: "bash", args: { command } });
export const submit = (summary = "It is done.", claim: Record<string, unknown> = {}): RecordedCall => ({
  tool: "submit",
  args: { summary, ...claim },
});

/** Writes handoff.json: the way in which a command-line agent hands over. */
export const writeHandoff = (claim: object): RecordedCall =>
  write("../handoff/handoff.json", JSON.stringify(claim));
