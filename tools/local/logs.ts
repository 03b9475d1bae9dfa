import { createWriteStream, mkdirSync, openSync, renameSync, type WriteStream } from "node:fs";
import { join } from "node:path";

export interface Logs {
  /** Opens the log file of one program. Returns the function that writes its output. */
  of(name: string): (chunk: Buffer) => void;
  close(): Promise<void>;
}

/** As docker-compose.yml keeps the output of containers. */
const FILE_BYTES = 10_000_000;
const FILES = 5;

/**
 * Writes one log file per program under `dir`, begun anew at every start; `also` receives all output as well. A file that
 * is full becomes `<name>.log.1`, the one before it `.2`, and the oldest of five goes.
 */
export function openLogs(
  dir: string,
  also?: (name: string, chunk: Buffer) => void,
  fileBytes = FILE_BYTES,
): Logs {
  mkdirSync(dir, { recursive: true });
  const streams = new Set<WriteStream>();
  let closing = false;
  const open = (file: string, flags: "w" | "a"): WriteStream => {
    const stream = createWriteStream(file, { fd: openSync(file, flags, 0o600) });
    streams.add(stream);
    // A full disk loses lines, not the swarm. The stream is destroyed then, and the next lines open the file again.
    stream.on("error", () => undefined);
    stream.on("close", () => streams.delete(stream));
    return stream;
  };
  return {
    of(name) {
      const file = join(dir, `${name}.log`);
      let stream = open(file, "w");
      let bytes = 0;
      const write = (chunk: Buffer) => {
        if (bytes > fileBytes) {
          for (let nth = FILES - 1; nth > 0; nth -= 1)
            moveAside(nth === 1 ? file : `${file}.${nth - 1}`, `${file}.${nth}`);
          stream.end();
          bytes = 0;
          stream = open(file, "w");
        }
        if (stream.destroyed) stream = open(file, "a");
        bytes += chunk.length;
        stream.write(chunk);
      };
      return (chunk) => {
        also?.(name, chunk);
        if (closing) return;
        try {
          write(chunk);
        } catch {
          // Without room the file cannot be opened either.
        }
      };
    },
    async close() {
      closing = true;
      const closed = (stream: WriteStream) =>
        new Promise<void>((done) => stream.once("close", () => done()).end());
      await Promise.all([...streams].map(closed));
    },
  };
}

function moveAside(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch {
    // There are not so many yet.
  }
}
