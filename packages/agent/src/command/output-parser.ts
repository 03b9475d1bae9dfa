import { z } from "zod";
import type { AgentTemplate } from "@agentswarm/contracts";

/** What a line of an agent's output tells. */
export type AgentEvent =
  | { kind: "session"; id: string }
  /** `whole`: a message of its own; else one that grows from line to line. */
  | { kind: "text"; text: string; whole: boolean }
  | { kind: "tool"; name: string; args: unknown; output: string }
  /** The model was asked and what it wanted was done: one round. */
  | { kind: "round" }
  | { kind: "error"; message: string };

export type LineReader = (line: string) => AgentEvent[];

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

const readJsonl: LineReader = (line) => {
  const parsed = jsonlSchema.safeParse(parseJson(line));
  if (!parsed.success) return [];
  const told = parsed.data;
  switch (told.type) {
    case "session":
      return [{ kind: "session", id: told.id }];
    case "text":
      return [{ kind: "text", text: told.text, whole: true }];
    case "tool":
      return [{ kind: "tool", name: told.name, args: told.args, output: told.output }, { kind: "round" }];
    case "error":
      return [{ kind: "error", message: told.message }];
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

/** `opencode run --format json`: a line per finished text, tool call and step. */
const readOpencode: LineReader = (line) => {
  const parsed = opencodeSchema.safeParse(parseJson(line));
  if (!parsed.success) return [];
  const { type, sessionID, part, error } = parsed.data;
  const events: AgentEvent[] = sessionID === undefined ? [] : [{ kind: "session", id: sessionID }];
  if (type === "text" && part?.text !== undefined)
    events.push({ kind: "text", text: part.text, whole: true });
  if (type === "tool_use" && part?.tool !== undefined) {
    const output = part.state?.output ?? part.state?.error ?? "";
    events.push({ kind: "tool", name: part.tool, args: part.state?.input, output: textOf(output) });
  }
  if (type === "step_finish") events.push({ kind: "round" });
  if (type === "error") events.push({ kind: "error", message: textOf(error) });
  return events;
};

/** A program whose output is nothing but what it has to say. */
function readPlain(): LineReader {
  let said = "";
  return (line) => {
    said = `${said}${line}\n`.slice(-10_000);
    return [{ kind: "text", text: said, whole: false }];
  };
}

export function lineReader(output: AgentTemplate["output"]): LineReader {
  if (output === "opencode") return readOpencode;
  return output === "jsonl" ? readJsonl : readPlain();
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
