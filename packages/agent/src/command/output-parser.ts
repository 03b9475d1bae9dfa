import { z } from "zod";
import type { AgentTemplate } from "@agentswarm/contracts";

/** A part of an agent's output. */
export type OutputEvent =
  | { kind: "session"; id: string }
  /** `whole`: a message of its own; otherwise the message so far, which grows with every line. */
  | { kind: "text"; text: string; whole: boolean }
  | { kind: "tool"; name: string; args: unknown; output: string }
  /** The model has answered and its tool calls are done. */
  | { kind: "turn-end" }
  | { kind: "error"; message: string };

export type OutputParser = (line: string) => OutputEvent[];

const jsonlSchema = z.discriminatedUnion("type", [
  z.object({ type: z.literal("session"), id: z.string() }),
  z.object({ type: z.literal("text"), text: z.string() }),
  z.object({
    type: z.literal("tool"),
    name: z.string(),
    args: z.unknown().optional(),
    output: z.string().default(""),
  }),
  z.object({ type: z.literal("error"), message: z.string() }),
]);

const parseJsonl: OutputParser = (line) => {
  const parsed = jsonlSchema.safeParse(parseJson(line));
  if (!parsed.success) return [];
  const { data } = parsed;
  switch (data.type) {
    case "session":
      return [{ kind: "session", id: data.id }];
    case "text":
      return [{ kind: "text", text: data.text, whole: true }];
    case "tool":
      // The format has no line for the end of a turn, so each call counts as one.
      return [{ kind: "tool", name: data.name, args: data.args, output: data.output }, { kind: "turn-end" }];
    case "error":
      return [{ kind: "error", message: data.message }];
  }
};

const opencodeSchema = z.object({
  type: z.string(),
  sessionID: z.string().optional(),
  part: z
    .object({
      text: z.string().optional(),
      tool: z.string().optional(),
      state: z.object({ input: z.unknown(), output: z.unknown(), error: z.unknown() }).partial().optional(),
    })
    .optional(),
  error: z.unknown().optional(),
});

/** Parses `opencode run --format json`: a line for each finished text, tool call and step. */
const parseOpencode: OutputParser = (line) => {
  const parsed = opencodeSchema.safeParse(parseJson(line));
  if (!parsed.success) return [];
  const { type, sessionID, part, error } = parsed.data;
  const events: OutputEvent[] = sessionID === undefined ? [] : [{ kind: "session", id: sessionID }];
  if (type === "text" && part?.text !== undefined)
    events.push({ kind: "text", text: part.text, whole: true });
  if (type === "tool_use" && part?.tool !== undefined) {
    const output = part.state?.output ?? part.state?.error ?? "";
    events.push({ kind: "tool", name: part.tool, args: part.state?.input, output: textOf(output) });
  }
  if (type === "step_finish") events.push({ kind: "turn-end" });
  if (type === "error") events.push({ kind: "error", message: textOf(error) });
  return events;
};

const MAX_PLAIN_CHARS = 10_000;

/** The output is one message. Its end is kept. */
function createPlainParser(): OutputParser {
  let message = "";
  return (line) => {
    message = `${message}${line}\n`.slice(-MAX_PLAIN_CHARS);
    return [{ kind: "text", text: message, whole: false }];
  };
}

/** A parser for one run of a program. Lines that do not fit the format give no events. */
export function createOutputParser(output: AgentTemplate["output"]): OutputParser {
  if (output === "opencode") return parseOpencode;
  return output === "jsonl" ? parseJsonl : createPlainParser();
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "");
}
