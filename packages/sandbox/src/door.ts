import * as http2 from "node:http2";
import { Duplex } from "node:stream";
import { DOOR_LIMITS } from "@agentswarm/contracts";
import type { SandboxProcess } from "./sandbox.ts";

export type DoorHandler = (stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders) => void;

export interface Door {
  /** Resolves when the process in the sandbox has closed its end. */
  readonly closed: Promise<void>;
  close(): void;
}

/**
 * Opens the host's end of the door of a sandbox: HTTP/2 over the stdin and stdout of a process. No sandbox needs a
 * network for it, and it works with every provider that has streams.
 */
export function openDoor(child: SandboxProcess, handler: DoorHandler): Door {
  const { promise, resolve } = Promise.withResolvers<void>();
  const wire = wireOf(child);
  const session = http2.performServerHandshake(wire, {
    settings: { maxConcurrentStreams: DOOR_LIMITS.streams },
  });
  session.on("stream", (stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders) => {
    // A stream error of a dying sandbox must not end this process.
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
      // The session closes after its connection. Destroying the session first makes node:http2 write to a connection
      // whose other end may be gone, which fails an assertion inside node:http2.
      wire.destroy();
    },
  };
}

/** How often to check whether a slow reader has read the last output of a process that ended. */
const READ_POLL_MS = 20;

/**
 * Joins the two pipes of a process into one stream. The callback of every write is called, also when the process ends
 * during the write: `Duplex.from` would wait for a drain that never comes, and node:http2 then throws.
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
  // The process has ended, or is about to. Ending only the readable side makes the session end its writable side, and
  // a later write then fails an assertion inside node:http2. So the whole stream is destroyed once its data was read.
  const destroyOnceRead = () => {
    if (wire.readableLength === 0 || wire.destroyed) wire.destroy();
    else setTimeout(destroyOnceRead, READ_POLL_MS);
  };
  child.stdout.on("end", () => setImmediate(destroyOnceRead));
  return wire;
}
