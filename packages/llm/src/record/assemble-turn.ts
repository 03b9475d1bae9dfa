/** What the model said in one exchange, as a scenario has it. */
export interface Turn {
  readonly say: string;
  readonly calls: readonly { readonly tool: string; readonly args: Record<string, unknown> }[];
}

interface Spoken {
  content?: string | null;
  tool_calls?: { index?: number; function?: { name?: string; arguments?: string } }[];
}
interface Choice {
  message?: Spoken;
  delta?: Spoken;
  finish_reason?: string | null;
}

/**
 * Puts an answer together, from its one completion or from the chunks of its stream. Null for one that was cut off:
 * agents do not act on that, but ask again.
 */
export function assembleTurn(events: readonly object[]): Turn | null {
  let say = "";
  let finish: string | null = null;
  const calls = new Map<number, { tool: string; args: string }>();
  for (const event of events) {
    const [choice] = (event as { choices?: Choice[] }).choices ?? [];
    const spoken = choice?.delta ?? choice?.message ?? {};
    say += spoken.content ?? "";
    for (const [at, { index = at, function: part }] of (spoken.tool_calls ?? []).entries()) {
      const call = calls.get(index) ?? { tool: "", args: "" };
      calls.set(index, { tool: call.tool + (part?.name ?? ""), args: call.args + (part?.arguments ?? "") });
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
