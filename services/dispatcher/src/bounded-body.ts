import { Transform, type Readable } from "node:stream";
import type { BodyCount } from "./door-account.ts";

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

/** Reads a whole body. Throws when it is longer than the limit (see `isTooLong`), or its door's account refuses it. */
export async function readBounded(
  stream: Readable,
  limitBytes: number,
  count: Pick<BodyCount, "hold">,
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of chunksOf(stream)) {
    bytes += chunk.length;
    if (bytes > limitBytes) throw tooLong(limitBytes);
    count.hold(chunk.length);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/**
 * Reads a body and keeps nothing of it: a client may read its answer only after it has sent its request. Throws like
 * `readBounded`.
 */
export async function discardBody(
  stream: Readable,
  limitBytes: number,
  count: Pick<BodyCount, "received">,
): Promise<void> {
  let bytes = 0;
  for await (const chunk of chunksOf(stream)) {
    bytes += chunk.length;
    if (bytes > limitBytes) throw tooLong(limitBytes);
    count.received(chunk.length);
  }
}

/** Passes on a stream, and fails when it is longer than the limit (see `isTooLong`), or its account refuses it. */
export function atMost(limitBytes: number, count?: Pick<BodyCount, "received">): Transform {
  let bytes = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      if (bytes > limitBytes) return done(tooLong(limitBytes));
      try {
        count?.received(chunk.length);
        done(null, chunk);
      } catch (error) {
        done(error as Error);
      }
    },
  });
}
