import { createWriteStream, mkdirSync, type WriteStream } from "node:fs";
import { join } from "node:path";

export interface Logs {
  /** Opens the log file of one program. Returns the function that writes its output. */
  of(name: string): (chunk: Buffer) => void;
  close(): Promise<void>;
}

/** Writes one log file per program under `dir`, emptied at every start; `also` receives all output as well. */
export function openLogs(dir: string, also?: (name: string, chunk: Buffer) => void): Logs {
  mkdirSync(dir, { recursive: true });
  const streams: WriteStream[] = [];
  return {
    of(name) {
      const stream = createWriteStream(join(dir, `${name}.log`), { mode: 0o600 });
      streams.push(stream);
      return (chunk) => {
        if (!stream.writableEnded) stream.write(chunk);
        also?.(name, chunk);
      };
    },
    async close() {
      await Promise.all(streams.map((stream) => new Promise<void>((done) => stream.end(done))));
    },
  };
}
