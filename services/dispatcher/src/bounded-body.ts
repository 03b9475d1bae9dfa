import { Transform, type Readable } from "node:stream";

/** Thrown when a body is longer than its limit. */
export function isTooLong(error: unknown): boolean {
  return error instanceof RangeError;
}

function tooLong(limitBytes: number): RangeError {
  return new RangeError(`the body is longer than ${limitBytes} bytes`);
}

/** The chunks of a stream. A reader that stops early leaves the stream open, so that it can still be answered. */
export function chunksOf(stream: Readable): AsyncIterable<Buffer> {
  return { [Symbol.asyncIterator]: () => stream.iterator({ destroyOnReturn: false }) };
}

/** Reads a whole body. Throws when it is longer than the limit (see `isTooLong`). */
export async function readBounded(stream: Readable, limitBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of chunksOf(stream)) {
    bytes += chunk.length;
    if (bytes > limitBytes) throw tooLong(limitBytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Passes on a stream, and fails when it is longer than the limit (see `isTooLong`). */
export function atMost(limitBytes: number): Transform {
  let bytes = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      if (bytes > limitBytes) done(tooLong(limitBytes));
      else done(null, chunk);
    },
  });
}
