import { createWriteStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";

/** The conversation of an agent with its model, as JSON lines in a file. */
export interface Transcript extends AsyncDisposable {
  /** Resolves when the lines are written, or are dropped. */
  append(lines: Buffer): Promise<void>;
}

const MAX_BYTES = 100 * 1024 * 1024;

/** `onError` is called once when the file cannot be written, as on a full disk; the attempt continues without it. */
export async function openTranscript(file: string, onError: (error: Error) => void): Promise<Transcript> {
  await mkdir(dirname(file), { recursive: true });
  const stream = createWriteStream(file, { mode: 0o600 });
  let written = 0;
  let broken = false;
  stream.on("error", (error) => {
    if (!broken) onError(error);
    broken = true;
  });
  return {
    append: (lines) =>
      new Promise((done) => {
        if (broken || written > MAX_BYTES) return done();
        written += lines.length;
        stream.write(written > MAX_BYTES ? '{"type":"cut"}\n' : lines, () => done());
      }),
    [Symbol.asyncDispose]: () =>
      new Promise((done) => {
        if (broken || stream.closed) return done();
        stream.once("close", () => done());
        stream.end();
      }),
  };
}
