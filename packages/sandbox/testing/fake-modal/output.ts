import { once } from "node:events";
import type { Readable } from "node:stream";
import { ServerError, Status } from "nice-grpc";

/** How much output is buffered for a reader; then the program waits. */
const BUFFER_BYTES = 1024 ** 2;

/** Buffers the output of a program until it is read, once. */
export function bufferOutput(stream: Readable) {
  const held: Buffer[] = [];
  let heldBytes = 0;
  let readBytes = 0;
  let ended = false;
  stream.on("data", (chunk: Buffer) => {
    held.push(chunk);
    heldBytes += chunk.length;
    if (heldBytes > BUFFER_BYTES) stream.pause();
    stream.emit("held");
  });
  stream.once("close", () => {
    ended = true;
    stream.emit("held");
  });
  return async function* read(offset: number, signal: AbortSignal): AsyncGenerator<{ data: Buffer }> {
    if (offset !== readBytes)
      throw new ServerError(
        Status.OUT_OF_RANGE,
        `offset ${offset} is not ${readBytes}, where the last reading ended`,
      );
    for (;;) {
      if (held.length === 0) {
        if (ended) return;
        await once(stream, "held", { signal });
        continue;
      }
      // Joins everything that is buffered into one message, because each message costs time.
      const data = Buffer.concat(held.splice(0));
      heldBytes = 0;
      readBytes += data.length;
      stream.resume();
      yield { data };
    }
  };
}
