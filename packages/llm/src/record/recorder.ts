import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { parse, stringify } from "yaml";
import type { Turn } from "./assemble-turn.ts";

/** Writes what the model says as scenarios that packages/replay plays back, one file for each Swarm-Key. */
export interface Recorder {
  /**
   * One exchange of a conversation. A conversation that begins later takes the place of an earlier one with the same
   * key, as the last attempt is the one that came to something.
   */
  turn(key: string, conversation: string, turn: Turn): Promise<void>;
  /** A structured answer; a later one to the same key takes its place. */
  answer(key: string, value: unknown): Promise<void>;
}

const KEY = /^[^/\s]+\/[^/\s]+\/[^/\s]+$/;

export function openRecorder(dir: string): Recorder {
  const kept = new Map<string, { conversation: string; steps: Turn[] }>();
  const begun = new Set<string>();
  let writing: Promise<unknown> = mkdir(dir, { recursive: true });

  const write = (key: string, entry: object) => {
    // A key may come out of a sandbox, so it names no path.
    const file = join(dir, `${key.replaceAll(/[^A-Za-z0-9-]+/g, "_").slice(0, 200)}.yaml`);
    const text = `# Recorded; see CONTRIBUTING.md, "Record a scenario".\n${exactly([{ key, ...entry }])}`;
    const done = writing.then(async () => {
      await writeFile(`${file}.new`, text);
      await rename(`${file}.new`, file);
    });
    writing = done.catch(() => undefined);
    return done;
  };

  return {
    async turn(key, conversation, turn) {
      if (!KEY.test(key)) return;
      const id = `${conversation} ${key}`;
      let now = kept.get(key);
      if (now?.conversation !== conversation) {
        if (begun.has(id)) return;
        begun.add(id);
        now = { conversation, steps: [] };
        kept.set(key, now);
      }
      const before = now.steps.at(-1);
      // A played step is known by its tool calls. One without any could not be told from the one before it, so its
      // words go with the next.
      if (before !== undefined && before.calls.length === 0) {
        now.steps.pop();
        turn = { ...turn, say: [before.say, turn.say].filter((text) => text !== "").join("\n") };
      }
      now.steps.push(turn);
      await write(key, { steps: now.steps });
    },
    async answer(key, value) {
      if (KEY.test(key)) await write(key, { answer: value });
    },
  };
}

/**
 * As YAML that people can read, where it comes back as it was. The library folds lines that begin with spaces wrongly,
 * and has its trouble with texts of blanks; these are written as JSON, which is YAML too.
 */
function exactly(value: unknown): string {
  const readable = stringify(value, { lineWidth: 0, blockQuote: "literal" });
  return readsAs(readable, value) ? readable : `${JSON.stringify(value, null, 2)}\n`;
}

function readsAs(text: string, value: unknown): boolean {
  try {
    return isDeepStrictEqual(parse(text), value);
  } catch {
    return false;
  }
}
