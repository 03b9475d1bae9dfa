import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { parse, stringify } from "yaml";
import type { RecordedStep } from "./assemble-step.ts";

/** Writes the model's answers as scenarios that packages/replay plays back, one file for each Swarm-Key. */
export interface Recorder {
  /**
   * Records one step of a conversation. A conversation that begins later replaces an earlier one of the same key,
   * because the last attempt is the one whose result counts.
   */
  recordStep(key: string, conversation: string, step: RecordedStep): Promise<void>;
  /** Records a structured answer. A later one of the same key replaces it. */
  recordAnswer(key: string, value: unknown): Promise<void>;
}

const KEY = /^[^/\s]+\/[^/\s]+\/[^/\s]+$/;

export function openRecorder(dir: string): Recorder {
  const kept = new Map<string, { conversation: string; steps: RecordedStep[] }>();
  const begun = new Set<string>();
  let writing: Promise<unknown> = mkdir(dir, { recursive: true });

  const write = (key: string, entry: object) => {
    // A key may come from a sandbox, so it must not name a path.
    const file = join(dir, `${key.replaceAll(/[^A-Za-z0-9-]+/g, "_").slice(0, 200)}.yaml`);
    const text = `# Recorded; see CONTRIBUTING.md, "Record a scenario".\n${toExactYaml([{ key, ...entry }])}`;
    const done = writing.then(async () => {
      await writeFile(`${file}.new`, text);
      await rename(`${file}.new`, file);
    });
    writing = done.catch(() => undefined);
    return done;
  };

  return {
    async recordStep(key, conversation, step) {
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
      // The replay identifies a step by its tool calls. A step without calls could not be told from the one before, so
      // its text is joined to the next.
      if (before !== undefined && before.calls.length === 0) {
        now.steps.pop();
        step = { ...step, say: [before.say, step.say].filter((text) => text !== "").join("\n") };
      }
      now.steps.push(step);
      await write(key, { steps: now.steps });
    },
    async recordAnswer(key, value) {
      if (KEY.test(key)) await write(key, { answer: value });
    },
  };
}

/**
 * YAML that people can read and that parses to the same value. The library folds lines that begin with spaces, and texts
 * of blanks, incorrectly; such values are written as JSON, which is YAML too.
 */
function toExactYaml(value: unknown): string {
  const readable = stringify(value, { lineWidth: 0, blockQuote: "literal" });
  return parsesTo(readable, value) ? readable : `${JSON.stringify(value, null, 2)}\n`;
}

function parsesTo(text: string, value: unknown): boolean {
  try {
    return isDeepStrictEqual(parse(text), value);
  } catch {
    return false;
  }
}
