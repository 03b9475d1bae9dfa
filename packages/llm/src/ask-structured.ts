import { z } from "zod";
import { Fault, roleOf, swarmKeyLine } from "@agentswarm/contracts";
import type { Message, Model } from "./model.ts";
import { addUsage, type Usage } from "./usage.ts";

export interface Question<S extends z.ZodType> {
  readonly system: string;
  readonly user: string;
  readonly schema: S;
  /** The Swarm-Key of the call. */
  readonly key: string;
  readonly signal?: AbortSignal;
}

/**
 * Asks for an answer that fits a schema. One that does not is given back once with what is wrong with it; the
 * second that does not is Fault `model.invalid`.
 */
export async function askStructured<S extends z.ZodType>(
  model: Model,
  question: Question<S>,
): Promise<{ value: z.infer<S>; usage: Usage }> {
  const schema = z.toJSONSchema(question.schema, { io: "input" });
  const role = roleOf(question.key);
  if (role === null) throw new Fault("internal", `${question.key} names no role`);
  // Told in words too: few backends can be made to keep to a schema, and what it means helps those that can.
  const system = `${question.system}\n${swarmKeyLine(question.key)}\n\nAnswer with one JSON value of this schema:\n${JSON.stringify(schema)}`;
  const asking = { role, schema, signal: question.signal };
  const messages: Message[] = [
    { role: "system", content: system },
    { role: "user", content: question.user },
  ];
  const answered = async (value: z.infer<S>, usage: Usage) => {
    await model.recorder?.answer(question.key, value);
    return { value, usage };
  };
  const first = await model.complete({ ...asking, messages });
  const read = readAnswer(question.schema, first.text);
  if (read.ok) return answered(read.value, first.usage);

  const repair = `That answer does not fit: ${read.why}\nAnswer again, with the whole corrected JSON value only.`;
  const again = [
    ...messages,
    { role: "assistant", content: first.text } as const,
    { role: "user", content: repair } as const,
  ];
  const second = await model.complete({ ...asking, messages: again });
  const reread = readAnswer(question.schema, second.text);
  if (reread.ok) return answered(reread.value, together(first.usage, second.usage));
  throw new Fault("model.invalid", `${question.key}: the model's answer does not fit, twice: ${reread.why}`);
}

/** Both calls, told as the one that gave the answer. */
function together(first: Usage, second: Usage): Usage {
  return { ...second, ...addUsage(first, second) };
}

type Read<T> = { ok: true; value: T } | { ok: false; why: string };

function readAnswer<S extends z.ZodType>(schema: S, text: string): Read<z.infer<S>> {
  let data: unknown;
  try {
    data = JSON.parse(stripWrapping(text));
  } catch (error) {
    return { ok: false, why: `it is no JSON (${(error as Error).message})` };
  }
  const parsed = schema.safeParse(data);
  return parsed.success
    ? { ok: true, value: parsed.data }
    : { ok: false, why: z.prettifyError(parsed.error) };
}

/** Models think aloud and fence their JSON even when asked not to. */
export function stripWrapping(text: string): string {
  const spoken = stripThinking(text).trim();
  const fenced = /^```(?:json)?\s*\n([\s\S]*?)\n```$/.exec(spoken);
  if (fenced?.[1] !== undefined) return fenced[1];
  const [from, to] = [spoken.search(/[[{]/), Math.max(spoken.lastIndexOf("}"), spoken.lastIndexOf("]"))];
  return from > 0 && to > from ? spoken.slice(from, to + 1) : spoken;
}

/** Where a prompt's template opens the thinking itself, only its end is seen; where an answer was cut, only its beginning. */
function stripThinking(text: string): string {
  const rest = text.replaceAll(/<think>[\s\S]*?<\/think>/g, "");
  const end = rest.lastIndexOf("</think>");
  return (end === -1 ? rest : rest.slice(end + "</think>".length)).replace(/<think>[\s\S]*$/, "");
}
