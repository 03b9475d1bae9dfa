import { createWriteStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { maskSecrets, maskSecretsIn } from "@agentswarm/contracts";

/** The conversation of an agent with its model, as JSON lines in a file. */
export interface Transcript extends AsyncDisposable {
  /** Masks keys, such as the attempt's own, in whole lines. Resolves when the lines are written, or are dropped. */
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
        const text = masked(lines.toString());
        written += text.length;
        stream.write(written > MAX_BYTES ? '{"type":"cut"}\n' : text, () => done());
      }),
    [Symbol.asyncDispose]: () =>
      new Promise((done) => {
        if (broken || stream.closed) return done();
        stream.once("close", () => done());
        stream.end();
      }),
  };
}

/** A mask over the text of a line could reach from one of its values into the next, so each value is masked. */
function masked(lines: string): string {
  return lines
    .split("\n")
    .map((line) => {
      try {
        return line === "" ? "" : JSON.stringify(maskSecretsIn<unknown>(JSON.parse(line)));
      } catch {
        return maskSecrets(line);
      }
    })
    .join("\n");
}
