import type { Readable } from "node:stream";

/** A longer line is truncated: a program may print a whole file as one line. */
const MAX_LINE_CHARS = 1_000_000;

/** Calls `onLine` for every line of a stream, including a last line without a newline. */
export function splitLines(stream: Readable, onLine: (line: string) => void): void {
  let line = "";
  const append = (text: string) => {
    line += text.slice(0, MAX_LINE_CHARS - line.length);
  };
  stream.setEncoding("utf8").on("data", (chunk: string) => {
    const [first = "", ...others] = chunk.split("\n");
    append(first);
    for (const next of others) {
      onLine(line);
      line = "";
      append(next);
    }
  });
  stream.on("end", () => {
    if (line !== "") onLine(line);
  });
}
