/** A choice of a chat completion, or of one chunk of it. */
interface Choice {
  finish_reason?: string | null;
  message?: { tool_calls?: { function?: { arguments?: string } }[] };
  delta?: { tool_calls?: { index?: number; function?: { arguments?: string } }[] };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text === "" ? "{}" : text);
    return true;
  } catch {
    return false;
  }
}

/**
 * Marks an answer with a tool call whose arguments are not complete JSON as cut off by length. Agents run the tool calls
 * of an answer that looks finished, but not those of an answer that was cut off.
 */
export function guardCompletion(completion: object): object {
  const { choices = [] } = completion as { choices?: Choice[] };
  const broken = (choice: Choice) =>
    choice.message?.tool_calls?.some((call) => !isJson(call.function?.arguments ?? ""));
  return {
    ...completion,
    choices: choices.map((choice) => (broken(choice) ? { ...choice, finish_reason: "length" } : choice)),
  };
}

/** The same for a stream: joins the arguments of each call, and checks them at the finish_reason. */
export async function* guardStream(chunks: AsyncIterable<object>): AsyncGenerator<object> {
  const args = new Map<number, string>();
  let finished = false;
  for await (const chunk of chunks) {
    const { choices = [] } = chunk as { choices?: Choice[] };
    const guarded = choices.map((choice) => {
      for (const call of choice.delta?.tool_calls ?? []) {
        const index = call.index ?? 0;
        args.set(index, (args.get(index) ?? "") + (call.function?.arguments ?? ""));
      }
      if (choice.finish_reason === null || choice.finish_reason === undefined) return choice;
      finished = true;
      return [...args.values()].every(isJson) ? choice : { ...choice, finish_reason: "length" };
    });
    yield { ...chunk, choices: guarded };
  }
  if (!finished) throw new Error("the stream ended without a finish_reason");
}
