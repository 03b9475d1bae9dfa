import { once } from "node:events";
import type { Readable } from "node:stream";
import { ServerError, Status } from "nice-grpc";

/** How much is held for a reader; the program waits meanwhile. */
const HELD_BYTES = 1024 ** 2;

/** What a program prints, held until it is read. Nothing is kept for a second reading. */
export function holdOutput(stream: Readable) {
  const held: Buffer[] = [];
  let heldBytes = 0;
  let readBytes = 0;
  let ended = false;
  stream.on("data", (chunk: Buffer) => {
    held.push(chunk);
    heldBytes += chunk.length;
    if (heldBytes > HELD_BYTES) stream.pause();
    stream.emit("held");
  });
  stream.once("close", () => {
    ended = true;
    stream.emit("held");
  });
  return async function* read(offset: number, signal: AbortSignal): AsyncGenerator<{ data: Buffer }> {
    if (offset !== readBytes) throw new ServerError(Status.OUT_OF_RANGE, `${readBytes} were read already`);
    for (;;) {
      if (held.length === 0) {
        if (ended) return;
        await once(stream, "held", { signal });
        continue;
      }
      // All that piled up in one message: a message is what costs time.
      const data = Buffer.concat(held.splice(0));
      heldBytes = 0;
      readBytes += data.length;
      stream.resume();
      yield { data };
    }
  };
}
