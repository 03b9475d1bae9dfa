import { lintSource } from "@secretlint/core";
import { creator } from "@secretlint/secretlint-rule-preset-recommend";
import { KEY_FORMS } from "@agentswarm/contracts";
import { decodeTexts, type LinedText } from "./decode-texts.ts";

/** A text to search; hits in lines of `before` are not the attempt's. */
export interface SearchedText {
  readonly before: string;
  readonly after: string;
}

/** A secret: its place in the searched texts and the rule that found it. The secret itself is never passed on. */
export interface SecretHit {
  readonly text: number;
  /** Counted from 1. */
  readonly line: number;
  readonly rule: string;
}

const RULE_PREFIX = "@secretlint/secretlint-rule-";
const PRESET = `${RULE_PREFIX}preset-recommend`;
const config = {
  rules: [
    {
      id: PRESET,
      rule: creator,
      rules: [{ id: `${RULE_PREFIX}aws`, options: { enableIDScanRule: true } }],
    },
  ],
};

/** Characters that are searched in one call. A call costs more than a small text does, so texts are searched together. */
const TOGETHER = 2 * 1024 * 1024;

/** Searches texts for secrets, as they are and decoded. */
export async function findSecrets(texts: readonly SearchedText[]): Promise<SecretHit[]> {
  const hits = new Map<string, SecretHit>();
  const newIn = texts.map(() => once(newLines));
  const take = async (parts: readonly Part[]) => {
    for (const { rule, text, from, to } of await search(parts)) {
      const searched = texts[text];
      if (searched === undefined) continue;
      const isNew = newIn[text]?.(searched) ?? (() => true);
      let line = from;
      while (line <= to && !isNew(line)) line += 1;
      if (line <= to) hits.set(`${text}/${line}/${rule}`, { text, line, rule });
    }
  };
  let parts: Part[] = [];
  let length = 0;
  for (const [text, { after }] of texts.entries()) {
    const lines = after
      .replaceAll("\0", "")
      .split("\n")
      .map((line, at) => ({ text: line, from: at + 1, to: at + 1 }));
    for (const found of [lines, decodeTexts(lines), APART])
      for (const { text: words, from, to } of found) {
        parts.push({ text, words, from, to });
        length += words.length + 1;
      }
    if (length < TOGETHER) continue;
    await take(parts);
    parts = [];
    length = 0;
  }
  await take(parts);
  return [...hits.values()];
}

/** A piece of the searched content, with the text and the lines that it comes from. */
interface Part {
  readonly text: number;
  readonly words: string;
  readonly from: number;
  readonly to: number;
}

/** Between two texts. */
const APART: readonly LinedText[] = [{ text: "\n", from: 1, to: 1 }];

type Found = Omit<Part, "words"> & { readonly rule: string };

async function search(parts: readonly Part[]): Promise<Found[]> {
  if (parts.length === 0) return [];
  const content = parts
    .map(({ words }) => words)
    .join("\n")
    // A comment `secretlint-disable` in the searched text must not switch the search off.
    .replaceAll("secretlint-", "secretlint_");
  const { messages } = await lintSource({
    source: { content, filePath: "text.json", ext: ".json", contentType: "text" },
    options: { config, noPhysicFilePath: true, maskSecrets: true },
  });
  const byPreset = messages.map(({ ruleId, messageId, range }) => {
    return { rule: `${ruleId.replace(RULE_PREFIX, "")}/${messageId}`, range };
  });
  // Keys that secretlint's preset does not know, or knows in one exact length only.
  const byOwnRules = KEY_FORMS.flatMap(([rule, pattern]) =>
    [...content.matchAll(pattern)].map(({ 0: { length }, index }) => {
      return { rule, range: [index, index + length] as const };
    }),
  );
  const found = [...byPreset, ...byOwnRules];
  if (found.length === 0) return [];
  const partAt = placesOf(parts);
  return found.map(({ rule, range: [start, end] }) => {
    const { text, from, to } = partAt(start);
    const last = partAt(Math.max(start, end - 1));
    return { rule, text, from, to: last.text === text ? Math.max(to, last.to) : to };
  });
}

/** The part in which an offset of the joined content lies. */
function placesOf(parts: readonly Part[]): (offset: number) => Part {
  const starts: number[] = [];
  let start = 0;
  for (const { words } of parts) {
    starts.push(start);
    start += words.length + 1;
  }
  const nowhere = { text: -1, words: "", from: 1, to: 1 };
  return (offset) => {
    let [low, high] = [0, starts.length];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle;
    }
    return parts[low] ?? nowhere;
  };
}

function newLines({ before, after }: SearchedText): (line: number) => boolean {
  if (before === "") return () => true;
  const old = new Set(before.split("\n"));
  const lines = after.split("\n");
  return (line) => !old.has(lines[line - 1] ?? "");
}

/** Only texts with hits need to know their new lines. */
function once<In, Out>(make: (from: In) => Out): (from: In) => Out {
  let made: { readonly out: Out } | null = null;
  return (from) => (made ??= { out: make(from) }).out;
}
