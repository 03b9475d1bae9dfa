import type { Readable } from "node:stream";

/** What of one line is kept; an agent may print files as one line. */
const MAX_LINE_CHARS = 1_000_000;

/** Calls back for every line of a stream, its last one too; of very long ones with the beginning only. */
export function splitLines(stream: Readable, onLine: (line: string) => void): void {
  let line = "";
  const take = (text: string) => {
    line += text.slice(0, MAX_LINE_CHARS - line.length);
  };
  stream.setEncoding("utf8").on("data", (chunk: string) => {
    const [first = "", ...others] = chunk.split("\n");
    take(first);
    for (const next of others) {
      onLine(line);
      line = "";
      take(next);
    }
  });
  stream.on("end", () => {
    if (line !== "") onLine(line);
  });
}
