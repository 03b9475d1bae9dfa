import { Readable, Writable } from "node:stream";

/** Every write is a round trip, so the chunks that arrive during one are joined into the next. */
const WRITE_BYTES = 4 * 1024 ** 2;

/** Called with the number of bytes of each chunk. */
export type Count = (bytes: number) => void;

/** Returns the writing end of a stream that is still being opened; writes wait until it is open. */
export function writeWhenOpen(opening: Promise<WritableStream<Uint8Array>>, count: Count): Writable {
  const writer = opening.then((stream) => stream.getWriter());
  // A write gets the error; there may be none.
  writer.catch(() => undefined);
  const send = async (chunks: Buffer[], done: (error?: Error) => void) => {
    try {
      const all = Buffer.concat(chunks);
      await (await writer).write(all);
      count(all.length);
      done();
    } catch (error) {
      done(error as Error);
    }
  };
  const close = async (done: () => void) => {
    try {
      await (await writer).close();
    } catch {
      // The program has exited, so its stdin is closed.
    }
    done();
  };
  const writable = new Writable({
    highWaterMark: WRITE_BYTES,
    write: (chunk: Buffer, _encoding, done) => void send([chunk], done),
    writev: (chunks, done) =>
      void send(
        chunks.map((one) => one.chunk as Buffer),
        done,
      ),
    final: (done) => void close(done),
  });
  writable.on("error", () => undefined);
  return writable;
}

/** Returns the reading end of a stream that is still being opened. It ends when the other side is gone, also by an error. */
export function readWhenOpen(opening: Promise<ReadableStream<Uint8Array>>, count: Count): Readable {
  const reader = opening.then((stream) => stream.getReader());
  reader.catch(() => undefined);
  const next = async () => {
    try {
      const { done, value } = await (await reader).read();
      if (done) readable.push(null);
      else if (value.length === 0) await next();
      else {
        count(value.length);
        readable.push(value);
      }
    } catch {
      readable.push(null);
    }
  };
  const readable = new Readable({
    read: () => void next(),
    destroy(error, done) {
      reader.then((open) => open.cancel()).catch(() => undefined);
      done(error);
    },
  });
  readable.on("error", () => undefined);
  return readable;
}
