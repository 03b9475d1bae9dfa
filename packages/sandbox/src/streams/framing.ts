import type { Readable } from "node:stream";

/** The engine's numbers for the streams of a program, and `control` for the broker's own messages. */
export const CHANNEL = { stdin: 0, stdout: 1, stderr: 2, control: 3 } as const;

const HEADER_BYTES = 8;
const LENGTH_AT = 4;

/** A piece of a frame; `last` marks the frame's end. */
export interface FramePiece {
  readonly channel: number;
  readonly chunk: Buffer;
  readonly last: boolean;
}

/** The header of a frame: its channel, three zero bytes, its length. */
export function frameHeader(channel: number, length: number): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt8(channel, 0);
  header.writeUInt32BE(length, LENGTH_AT);
  return header;
}

/** Splits a stream into frames. A frame is passed on piece by piece, because its length, which the sender chooses, must cost no memory. */
export async function* readFrames(stream: Readable): AsyncGenerator<FramePiece> {
  let header = Buffer.alloc(0);
  let channel = 0;
  let missing = 0;
  for await (const data of stream as AsyncIterable<Buffer>) {
    let rest = data;
    while (rest.length > 0) {
      if (missing === 0) {
        const taken = HEADER_BYTES - header.length;
        header = Buffer.concat([header, rest.subarray(0, taken)]);
        rest = rest.subarray(taken);
        if (header.length < HEADER_BYTES) break;
        channel = header.readUInt8(0);
        missing = header.readUInt32BE(LENGTH_AT);
        header = Buffer.alloc(0);
        if (missing === 0) yield { channel, chunk: Buffer.alloc(0), last: true };
        continue;
      }
      const chunk = rest.subarray(0, missing);
      rest = rest.subarray(chunk.length);
      missing -= chunk.length;
      yield { channel, chunk, last: missing === 0 };
    }
  }
}
