import { plainText } from "@agentswarm/contracts";

/** How much of a reason one line shows. */
const LINE_CHARS = 110;
const HEAD_CHARS = 40;
/** The last lines of a check's output that are shown. */
const TAIL_LINES = 5;

/** Untrusted text as part of one line. */
export function oneLine(text: string): string {
  return plainText(text).replaceAll(/\s+/g, " ").trim();
}

/**
 * A reason on one line. A reason names its occasion first and its cause last, so a long one is cut in the middle. Of a
 * failed check the command and the last line of its output are shown.
 */
export function shortReason(reason: string): string {
  const { head, tail } = partsOf(reason);
  return cutMiddle(tail.length === 0 ? head : `${head} … ${tail.at(-1)}`);
}

/** A reason on several lines: what failed, and the last lines of its output. */
export function longReason(reason: string): string[] {
  const { head, tail } = partsOf(reason);
  return [head, ...tail.slice(-TAIL_LINES).map((line) => `| ${line}`)];
}

/** The first line, with the last command (`$ npm test (exit 1)`) if there is one, and the lines that follow. */
function partsOf(reason: string): { head: string; tail: string[] } {
  const lines = plainText(reason)
    .split("\n")
    .map((line) => line.trimEnd())
    .filter((line) => line !== "");
  const [first = "", ...rest] = lines;
  const command = rest.findLastIndex((line) => line.startsWith("$ "));
  if (command === -1) return { head: first, tail: rest };
  return { head: `${first} ${rest[command]}`, tail: rest.slice(command + 1) };
}

function cutMiddle(text: string): string {
  const line = oneLine(text);
  if (line.length <= LINE_CHARS) return line;
  return `${line.slice(0, HEAD_CHARS)}…${line.slice(line.length - (LINE_CHARS - HEAD_CHARS - 1))}`;
}
