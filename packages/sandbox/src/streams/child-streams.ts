import { PassThrough, Transform, type Readable } from "node:stream";
import { waitForRoom } from "./wait-for-room.ts";

/** The three streams of a program that runs elsewhere. */
export interface ChildStreams {
  readonly stdin: Transform;
  readonly stdout: PassThrough;
  readonly stderr: PassThrough;
  /** Hands output to the reader; resolves when there is room for more. */
  deliver(to: "stdout" | "stderr", chunk: Buffer): Promise<void>;
  /** No more comes: resolves once everything delivered was read, or let go. */
  finish(): Promise<void>;
  letGo(): void;
  bytes(): { readonly in: number; readonly out: number };
}

export function openChildStreams(): ChildStreams {
  const counted = { in: 0, out: 0 };
  const stdin = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      counted.in += chunk.length;
      done(null, chunk);
    },
  });
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const outputs = [stdout, stderr];
  for (const stream of [stdin, ...outputs]) stream.on("error", () => undefined);
  const closed = outputs.map((stream) => new Promise((resolve) => stream.once("close", resolve)));
  return {
    stdin,
    stdout,
    stderr,
    async deliver(to, chunk) {
      counted.out += chunk.length;
      const stream = to === "stdout" ? stdout : stderr;
      // Whoever has closed it does not want the rest, which must not hold up the other one.
      if (stream.destroyed || stream.write(chunk)) return;
      await waitForRoom(stream);
    },
    async finish() {
      stdin.destroy();
      for (const stream of outputs) {
        stream.end();
        // Nobody listens: as with a child process, what is not wanted holds up nothing.
        if (isUnread(stream)) stream.resume();
      }
      await Promise.all(closed);
    },
    letGo() {
      for (const stream of outputs) stream.destroy();
    },
    bytes: () => ({ ...counted }),
  };
}

function isUnread(stream: Readable): boolean {
  return stream.readableFlowing === null && stream.listenerCount("readable") === 0;
}
