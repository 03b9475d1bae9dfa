import { createWriteStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";

/** Everything that an agent and its model said, as JSON lines in a file. */
export interface Transcript extends AsyncDisposable {
  append(lines: Buffer): void;
}

const MAX_BYTES = 100 * 1024 * 1024;

export async function openTranscript(file: string): Promise<Transcript> {
  await mkdir(dirname(file), { recursive: true });
  const stream = createWriteStream(file);
  let written = 0;
  return {
    append(lines) {
      if (written > MAX_BYTES) return;
      written += lines.length;
      stream.write(written > MAX_BYTES ? '{"type":"cut"}\n' : lines);
    },
    [Symbol.asyncDispose]: () => new Promise((done) => stream.end(done)),
  };
}
