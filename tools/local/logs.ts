import { createWriteStream, mkdirSync, type WriteStream } from "node:fs";
import { join } from "node:path";

export interface Logs {
  /** The sink for one program's output. */
  of(name: string): (chunk: Buffer) => void;
  close(): Promise<void>;
}

/** One file per program under `dir`, begun anew at every start; `also` sees everything too. */
export function openLogs(dir: string, also?: (name: string, chunk: Buffer) => void): Logs {
  mkdirSync(dir, { recursive: true });
  const streams: WriteStream[] = [];
  return {
    of(name) {
      const stream = createWriteStream(join(dir, `${name}.log`));
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
