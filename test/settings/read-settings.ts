import { readFileSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "../..");

export const readText = (file: string) => readFileSync(join(ROOT, file), "utf8");

export interface ExplainedSetting {
  readonly name: string;
  readonly value: string;
  /** The comment above it, or above the settings it is listed with. */
  readonly explanation: string;
}

const SETTING = /^#?([A-Z][A-Z0-9_]*)=(.*)$/;
const COMMENT = /^# (?!──)(.+)$/;

/** The settings of .env.example, in order. */
export function explainedSettings(): ExplainedSetting[] {
  let comment: string[] = [];
  let inComment = false;
  return readText(".env.example")
    .split("\n")
    .flatMap((line) => {
      const [, name, value = ""] = SETTING.exec(line) ?? [];
      if (name !== undefined) {
        inComment = false;
        return [{ name, value, explanation: comment.join(" ") }];
      }
      const [, text] = COMMENT.exec(line) ?? [];
      comment = text === undefined ? [] : inComment ? [...comment, text] : [text];
      inComment = text !== undefined;
      return [];
    });
}
