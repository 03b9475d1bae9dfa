import type { ServerHttp2Stream } from "node:http2";
import type { Readable, Writable } from "node:stream";
import { CHANNEL, frameHeader, readFrames, waitForDrain, type FramePiece } from "@agentswarm/sandbox/streams";
import { execSchema } from "../protocol.ts";
import { parseJson } from "../read-json.ts";
import type { LiveContainer } from "./live-containers.ts";

const MAX_REQUEST_BYTES = 4 * 1024 ** 2;

/**
 * Starts the program that the first frame of the request describes, and joins its streams with the streams of the request
 * until it exits. The program is killed when the request is aborted.
 */
export async function serveProgram({ container, programs }: LiveContainer, stream: ServerHttp2Stream) {
  const pieces = readFrames(stream);
  const { exec, argv, cwd, env } = parseJson(await readFirstFrame(pieces), execSchema);
  const child = container.exec(argv, {
    ...(cwd === undefined ? {} : { cwd }),
    ...(env === undefined ? {} : { env }),
  });
  programs.set(exec, child);
  stream.on("close", () => child.kill());
  stream.respond({ ":status": 200 });
  writeStdin(pieces, child.stdin).catch(() => child.stdin.destroy());
  const [{ code }] = await Promise.all([
    child.exit,
    sendOutput(child.stdout, CHANNEL.stdout, stream),
    sendOutput(child.stderr, CHANNEL.stderr, stream),
  ]);
  programs.delete(exec);
  if (stream.destroyed) return;
  const exit = Buffer.from(JSON.stringify({ code }));
  stream.write(frameHeader(CHANNEL.control, exit.length));
  stream.end(exit);
}

async function readFirstFrame(pieces: AsyncGenerator<FramePiece>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for (;;) {
    const { done, value } = await pieces.next();
    if (done) throw new TypeError("the request ended before its first frame, which describes the program");
    length += value.chunk.length;
    if (length > MAX_REQUEST_BYTES)
      throw new TypeError(`the first frame is longer than ${MAX_REQUEST_BYTES} bytes`);
    chunks.push(value.chunk);
    if (value.last) return Buffer.concat(chunks);
  }
}

async function writeStdin(pieces: AsyncGenerator<FramePiece>, stdin: Writable): Promise<void> {
  for (;;) {
    const { done, value } = await pieces.next();
    if (done) return void stdin.end();
    if (!stdin.write(value.chunk)) await waitForDrain(stdin);
  }
}

async function sendOutput(output: Readable, channel: number, stream: ServerHttp2Stream): Promise<void> {
  try {
    for await (const chunk of output as AsyncIterable<Buffer>) {
      if (stream.destroyed) continue;
      stream.write(frameHeader(channel, chunk.length));
      if (!stream.write(chunk)) await waitForDrain(stream);
    }
  } catch {
    // The output of a killed program was discarded.
  }
}
