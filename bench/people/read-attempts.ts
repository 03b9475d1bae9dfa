import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

/** One attempt by its transcript. */
export interface Attempt {
  readonly taskId: string;
  readonly attempt: number;
  readonly isNewest: boolean;
  /** Answers of the model. */
  readonly answers: number;
  /** Notes that its runner got while it worked. */
  readonly received: readonly { readonly at: number; readonly receivedAt: number }[];
  /** Everything that its model was sent as a user's words, prompts and notes. */
  readonly userText: string;
}

/** A note with the tasks whose agents are to hear it. */
export interface Said {
  readonly text: string;
  readonly taskIds: readonly string[];
}

interface Line {
  readonly type: string;
  readonly receivedAt?: number;
  readonly note?: { readonly at: number };
  readonly message?: { readonly role: string; readonly content: string | { readonly text?: string }[] };
}

export async function readAttempts(transcripts: string, taskIds: readonly string[]): Promise<Attempt[]> {
  const all: Attempt[] = [];
  for (const taskId of taskIds) {
    const names = await readdir(join(transcripts, taskId)).catch(() => []);
    const numbers = names.filter((name) => name.endsWith(".jsonl")).map((name) => Number.parseInt(name, 10));
    for (const attempt of numbers) {
      const lines = await readFile(join(transcripts, taskId, `${attempt}.jsonl`), "utf8");
      all.push({ taskId, attempt, isNewest: attempt === Math.max(...numbers), ...readLines(lines) });
    }
  }
  return all;
}

function readLines(text: string): Pick<Attempt, "answers" | "received" | "userText"> {
  const lines = text.split("\n").flatMap((line) => parse(line) ?? []);
  const messages = lines.flatMap(({ message }) => message ?? []);
  const wordsOf = (content: string | { readonly text?: string }[]) =>
    typeof content === "string" ? content : content.map((part) => part.text ?? "").join("\n");
  return {
    answers: messages.filter(({ role }) => role === "assistant").length,
    received: lines.flatMap(({ note, receivedAt }) =>
      note === undefined || receivedAt === undefined ? [] : [{ at: note.at, receivedAt }],
    ),
    userText: messages.flatMap(({ role, content }) => (role === "user" ? [wordsOf(content)] : [])).join("\n"),
  };
}

/** A killed dispatcher may leave half a line. */
function parse(line: string): Line | null {
  try {
    return JSON.parse(line) as Line;
  } catch {
    return null;
  }
}

/** Compares what people said with what the models of the attempts were sent. */
export function compareHeard(attempts: readonly Attempt[], said: readonly Said[]) {
  let [lost, twice, expected] = [0, 0, 0];
  for (const { text, taskIds } of said) {
    for (const { taskId, isNewest, userText } of attempts) {
      if (!taskIds.includes(taskId)) continue;
      const times = userText.split(text).length - 1;
      if (times > 1) twice += 1;
      // The newest attempt is the one that landed; those before it were killed.
      if (isNewest) expected += 1;
      if (isNewest && times === 0) lost += 1;
    }
  }
  return { attempts: attempts.length, expected, lost, twice };
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const found = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
  if (found === undefined) throw new Error("nothing was measured");
  return found;
}
