import * as http2 from "node:http2";
import { Duplex } from "node:stream";
import type { SandboxProcess } from "./sandbox.ts";

export type DoorHandler = (stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders) => void;

export interface Door {
  /** Resolves when the other end is gone. */
  readonly closed: Promise<void>;
  close(): void;
}

/**
 * The host's end of a sandbox's only door: HTTP/2 over the process's own stdin and stdout, so that no sandbox
 * needs a network and every provider that has streams works alike.
 */
export function openDoor(child: SandboxProcess, handler: DoorHandler): Door {
  const { promise, resolve } = Promise.withResolvers<void>();
  const wire = wireOf(child);
  const session = http2.performServerHandshake(wire);
  session.on("stream", (stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders) => {
    // What a dying sandbox does to its streams must not end this process.
    stream.on("error", () => undefined);
    handler(stream, headers);
  });
  const end = () => resolve();
  session.on("error", end);
  session.on("close", end);
  wire.on("error", end);
  void child.exit.then(end);
  return {
    closed: promise,
    close() {
      // The session follows. Destroying it first would have it say goodbye over a wire whose other end may be gone,
      // which node:http2 answers with a failed assertion of its own.
      wire.destroy();
    },
  };
}

/** How often it is looked whether a slow reader has read the last of a process that is gone. */
const READ_POLL_MS = 20;

/**
 * The process's two pipes as one stream. Every write is called back, also when the process is gone in the middle of
 * it: `Duplex.from` would wait for a drain that never comes, and http2 takes that for a bug of its own and throws.
 */
function wireOf(child: SandboxProcess): Duplex {
  const wire = new Duplex({
    read: () => void child.stdout.resume(),
    write: (chunk: Buffer, _encoding, done) => void child.stdin.write(chunk, () => done()),
    final: (done) => void child.stdin.end(() => done()),
    destroy(error, done) {
      child.stdin.destroy();
      child.stdout.destroy();
      done(error);
    },
  });
  child.stdout.on("data", (chunk: Buffer) => {
    if (!wire.push(chunk)) child.stdout.pause();
  });
  // A process without output is gone or as good as gone. An end of what can be read would have the session's socket
  // begin to end its other side, and a write that still comes then is a failed assertion of node:http2's own; so all
  // of the wire goes, once what came has been read.
  const goOnceRead = () => {
    if (wire.readableLength === 0 || wire.destroyed) wire.destroy();
    else setTimeout(goOnceRead, READ_POLL_MS);
  };
  child.stdout.on("end", () => setImmediate(goOnceRead));
  return wire;
}
