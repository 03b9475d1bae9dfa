import type { Readable } from "node:stream";

/** Keeps the last `maxChars` characters of all that the streams give. Returns a function that reads them. */
export function keepTail(streams: readonly Readable[], maxChars: number): () => string {
  let tail = "";
  for (const stream of streams) {
    // A character whose bytes arrive in two chunks stays whole.
    stream.setEncoding("utf8").on("data", (text: string) => {
      tail = (tail + text).slice(-maxChars);
    });
  }
  return () => tail;
}
