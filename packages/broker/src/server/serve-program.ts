import type { ServerHttp2Stream } from "node:http2";
import type { Readable, Writable } from "node:stream";
import { CHANNEL, frameHeader, readFrames, waitForRoom, type Piece } from "@agentswarm/sandbox/streams";
import { execSchema } from "../protocol.ts";
import { parseJson } from "../read-json.ts";
import type { LiveContainer } from "./live-containers.ts";

const MAX_ORDER_BYTES = 4 * 1024 ** 2;

/**
 * Starts the program that the request's first frame asks for, and joins its streams with those of the request until
 * its end. When the request is broken off it is killed.
 */
export async function serveProgram({ container, programs }: LiveContainer, stream: ServerHttp2Stream) {
  const pieces = readFrames(stream);
  const { exec, ...order } = parseJson(await firstFrame(pieces), execSchema);
  const { argv, cwd, env } = order;
  const child = container.exec(argv, {
    ...(cwd === undefined ? {} : { cwd }),
    ...(env === undefined ? {} : { env }),
  });
  programs.set(exec, child);
  stream.on("close", () => child.kill());
  stream.respond({ ":status": 200 });
  feedStdin(pieces, child.stdin).catch(() => child.stdin.destroy());
  const [{ code }] = await Promise.all([
    child.exit,
    passOn(child.stdout, CHANNEL.stdout, stream),
    passOn(child.stderr, CHANNEL.stderr, stream),
  ]);
  programs.delete(exec);
  if (stream.destroyed) return;
  const said = Buffer.from(JSON.stringify({ code }));
  stream.write(frameHeader(CHANNEL.said, said.length));
  stream.end(said);
}

async function firstFrame(pieces: AsyncGenerator<Piece>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for (;;) {
    const { done, value } = await pieces.next();
    if (done) throw new TypeError("the request ended before it said what to start");
    length += value.chunk.length;
    if (length > MAX_ORDER_BYTES) throw new TypeError(`longer than ${MAX_ORDER_BYTES} bytes`);
    chunks.push(value.chunk);
    if (value.last) return Buffer.concat(chunks);
  }
}

async function feedStdin(pieces: AsyncGenerator<Piece>, stdin: Writable): Promise<void> {
  for (;;) {
    const { done, value } = await pieces.next();
    if (done) return void stdin.end();
    if (!stdin.write(value.chunk)) await waitForRoom(stdin);
  }
}

async function passOn(output: Readable, channel: number, stream: ServerHttp2Stream): Promise<void> {
  try {
    for await (const chunk of output as AsyncIterable<Buffer>) {
      if (stream.destroyed) continue;
      stream.write(frameHeader(channel, chunk.length));
      if (!stream.write(chunk)) await waitForRoom(stream);
    }
  } catch {
    // What is left of a killed program's output.
  }
}
