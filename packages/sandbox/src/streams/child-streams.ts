import { PassThrough, Transform, type Readable } from "node:stream";
import { waitForDrain } from "./wait-for-drain.ts";

/** The local ends of the three streams of a remote program. */
export interface ChildStreams {
  readonly stdin: Transform;
  readonly stdout: PassThrough;
  readonly stderr: PassThrough;
  /** Passes output to the reader; resolves when the reader can take more. */
  deliver(to: "stdout" | "stderr", chunk: Buffer): Promise<void>;
  /** Ends the output; resolves once everything delivered was read or discarded. */
  finish(): Promise<void>;
  /** Discards the output that was not read yet. */
  discardOutput(): void;
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
      // A reader that closed one stream discards its rest, which must not block the other stream.
      if (stream.destroyed || stream.write(chunk)) return;
      await waitForDrain(stream);
    },
    async finish() {
      stdin.destroy();
      for (const stream of outputs) {
        stream.end();
        // Without a reader the output is discarded, so that it does not block the exit.
        if (isUnread(stream)) stream.resume();
      }
      await Promise.all(closed);
    },
    discardOutput() {
      for (const stream of outputs) stream.destroy();
    },
    bytes: () => ({ ...counted }),
  };
}

function isUnread(stream: Readable): boolean {
  return stream.readableFlowing === null && stream.listenerCount("readable") === 0;
}
