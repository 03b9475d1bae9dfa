/** The content and the times of a streamed answer. */
export interface Streamed {
  readonly text: string;
  readonly toolCall: { readonly name: string; readonly args: string } | null;
  readonly finishReason: string | null;
  /** Null when the server reported no usage. */
  readonly completionTokens: number | null;
  /** From the request to the first token of any kind. */
  readonly firstTokenMs: number;
  readonly lastTokenMs: number;
}

interface Delta {
  readonly content?: string | null;
  readonly reasoning_content?: string | null;
  readonly reasoning?: string | null;
  readonly tool_calls?: readonly { function?: { name?: string; arguments?: string } }[];
}

interface Chunk {
  readonly choices?: readonly { delta?: Delta; finish_reason?: string | null }[];
  readonly usage?: { completion_tokens?: number } | null;
  readonly error?: { message?: string };
}

/** The data lines of a server-sent stream up to [DONE], without keep-alive comments. */
async function* dataOf(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let rest = "";
  for await (const text of body.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split(/\r?\n/);
    rest = lines.pop() ?? "";
    for (const line of lines) {
      if (!line.startsWith("data:")) continue;
      const data = line.slice("data:".length).trim();
      if (data === "[DONE]") return;
      yield data;
    }
  }
}

/** Reads a streamed chat completion to its end. Throws when the server reports an error in the stream. */
export async function readStream(body: ReadableStream<Uint8Array>, askedAt: number): Promise<Streamed> {
  let [text, name, args] = ["", "", ""];
  let finishReason: string | null = null;
  let completionTokens: number | null = null;
  let [first, last] = [0, 0];
  for await (const data of dataOf(body)) {
    const { choices = [], usage, error } = JSON.parse(data) as Chunk;
    if (error !== undefined) throw new Error(error.message ?? data);
    completionTokens = usage?.completion_tokens ?? completionTokens;
    const [choice] = choices;
    finishReason = choice?.finish_reason ?? finishReason;
    const { content, reasoning_content, reasoning, tool_calls = [] } = choice?.delta ?? {};
    if (!content && !reasoning_content && !reasoning && tool_calls.length === 0) continue;
    last = performance.now() - askedAt;
    first ||= last;
    text += content ?? "";
    name += tool_calls[0]?.function?.name ?? "";
    args += tool_calls[0]?.function?.arguments ?? "";
  }
  const toolCall = name === "" ? null : { name, args };
  return { text, toolCall, finishReason, completionTokens, firstTokenMs: first, lastTokenMs: last };
}
