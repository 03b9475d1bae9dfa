/** One answer of the model, in the form of a scenario's step. */
export interface RecordedStep {
  readonly say: string;
  readonly calls: readonly { readonly tool: string; readonly args: Record<string, unknown> }[];
}

interface AnswerPart {
  content?: string | null;
  tool_calls?: { index?: number; function?: { name?: string; arguments?: string } }[];
}
interface CompletionChoice {
  message?: AnswerPart;
  delta?: AnswerPart;
  finish_reason?: string | null;
}

/**
 * Assembles an answer from its one completion or from the chunks of its stream. Null for a truncated answer: agents do
 * not act on it but ask again.
 */
export function assembleStep(events: readonly object[]): RecordedStep | null {
  let say = "";
  let finish: string | null = null;
  const calls = new Map<number, { tool: string; args: string }>();
  for (const event of events) {
    const [choice] = (event as { choices?: CompletionChoice[] }).choices ?? [];
    const part = choice?.delta ?? choice?.message ?? {};
    say += part.content ?? "";
    for (const [at, { index = at, function: fragment }] of (part.tool_calls ?? []).entries()) {
      const call = calls.get(index) ?? { tool: "", args: "" };
      calls.set(index, {
        tool: call.tool + (fragment?.name ?? ""),
        args: call.args + (fragment?.arguments ?? ""),
      });
    }
    finish = choice?.finish_reason ?? finish;
  }
  if (finish === null || finish === "length") return null;
  return {
    say,
    calls: [...calls.values()].map(({ tool, args }) => ({
      tool,
      args: JSON.parse(args === "" ? "{}" : args) as Record<string, unknown>,
    })),
  };
}
