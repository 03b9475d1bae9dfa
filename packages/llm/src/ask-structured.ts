import { z } from "zod";
import { Fault, roleOf, swarmKeyLine } from "@agentswarm/contracts";
import type { Message, Model } from "./model.ts";
import { addUsage, type Usage } from "./usage/usage.ts";

export interface StructuredQuestion<S extends z.ZodType> {
  readonly system: string;
  readonly user: string;
  readonly schema: S;
  /** The Swarm-Key of the call. */
  readonly key: string;
  readonly signal?: AbortSignal;
}

/**
 * Asks for an answer that matches a schema. An answer that does not match is sent back once with the validation error.
 * A second mismatch throws Fault `model.invalid`.
 */
export async function askStructured<S extends z.ZodType>(
  model: Model,
  question: StructuredQuestion<S>,
): Promise<{ value: z.infer<S>; usage: Usage }> {
  const schema = z.toJSONSchema(question.schema, { io: "input" });
  const role = roleOf(question.key);
  if (role === null) throw new Fault("internal", `Swarm-Key ${question.key} names no role`);
  // In the prompt too: few backends enforce a schema, and its descriptions help those that do.
  const system = `${question.system}\n${swarmKeyLine(question.key)}\n\nAnswer with one JSON value of this schema:\n${JSON.stringify(schema)}`;
  const call = { role, schema, signal: question.signal };
  const messages: Message[] = [
    { role: "system", content: system },
    { role: "user", content: question.user },
  ];
  const result = async (value: z.infer<S>, usage: Usage) => {
    await model.recorder?.recordAnswer(question.key, value);
    return { value, usage };
  };
  const first = await model.complete({ ...call, messages });
  const read = readAnswer(question.schema, first.text);
  if (read.ok) return result(read.value, first.usage);

  const repair = `That answer does not match the schema: ${read.why}\nAnswer again, with the whole corrected JSON value only.`;
  const again = [
    ...messages,
    { role: "assistant", content: first.text } as const,
    { role: "user", content: repair } as const,
  ];
  const second = await model.complete({ ...call, messages: again });
  const reread = readAnswer(question.schema, second.text);
  if (reread.ok) return result(reread.value, totalUsage(first.usage, second.usage));
  throw new Fault(
    "model.invalid",
    `${question.key}: the model's second answer does not match the schema either: ${reread.why}`,
  );
}

/** The usage of both calls, under the backend and model of the second. */
function totalUsage(first: Usage, second: Usage): Usage {
  return { ...second, ...addUsage(first, second) };
}

type Read<T> = { ok: true; value: T } | { ok: false; why: string };

function readAnswer<S extends z.ZodType>(schema: S, text: string): Read<z.infer<S>> {
  let data: unknown;
  try {
    data = JSON.parse(stripWrapping(text));
  } catch (error) {
    return { ok: false, why: `it is not JSON (${(error as Error).message})` };
  }
  const parsed = schema.safeParse(data);
  return parsed.success
    ? { ok: true, value: parsed.data }
    : { ok: false, why: z.prettifyError(parsed.error) };
}

/** Removes reasoning and code fences, which models add even when asked not to. */
export function stripWrapping(text: string): string {
  const answer = stripThinking(text).trim();
  const fenced = /^```(?:json)?\s*\n([\s\S]*?)\n```$/.exec(answer);
  if (fenced?.[1] !== undefined) return fenced[1];
  const [from, to] = [answer.search(/[[{]/), Math.max(answer.lastIndexOf("}"), answer.lastIndexOf("]"))];
  return from > 0 && to > from ? answer.slice(from, to + 1) : answer;
}

/** A chat template may open the reasoning itself, so only its end mark appears; a truncated answer has only the begin mark. */
function stripThinking(text: string): string {
  const rest = text.replaceAll(/<think>[\s\S]*?<\/think>/g, "");
  const end = rest.lastIndexOf("</think>");
  return (end === -1 ? rest : rest.slice(end + "</think>".length)).replace(/<think>[\s\S]*$/, "");
}
