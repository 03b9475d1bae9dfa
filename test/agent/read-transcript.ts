export interface TranscriptMessage {
  readonly role: string;
  readonly text: string;
}

interface TranscriptLine {
  readonly type: string;
  readonly message: { role: string; content: string | { text?: string }[] };
}

/** Parses the JSON lines that an agent sent as its transcript. */
export function readTranscript(lines: string): TranscriptMessage[] {
  return lines
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as TranscriptLine)
    .filter(({ type }) => type === "message")
    .map(({ message }) => {
      const { role, content } = message;
      const text = typeof content === "string" ? content : content.map((part) => part.text ?? "").join("\n");
      return { role, text };
    });
}

/** The texts of all messages of one role. */
export function textsOf(
  transcript: readonly TranscriptMessage[],
  role: "user" | "assistant" | "toolResult",
): string[] {
  return transcript.filter((message) => message.role === role).map((message) => message.text);
}
