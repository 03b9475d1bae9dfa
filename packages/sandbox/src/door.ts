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
  const wire = Duplex.from({ readable: child.stdout, writable: child.stdin });
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
      session.destroy();
      wire.destroy();
    },
  };
}
