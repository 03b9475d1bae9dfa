import { randomUUID } from "node:crypto";
import type { Readable } from "node:stream";
import type { ExecOptions } from "@agentswarm/sandbox";
import {
  CHANNEL,
  frameHeader,
  readFrames,
  startRemote,
  waitForRoom,
  type RemoteProcess,
} from "@agentswarm/sandbox/streams";
import { exitSchema } from "../protocol.ts";
import { parseJson } from "../read-json.ts";
import type { Connection } from "./connection.ts";

/** What a program reads; the engine's own number. */
const STDIN = 0;

/** Starts a program in a broker's container. */
export function joinProgram(
  connection: Connection,
  id: string,
  argv: readonly string[],
  options: ExecOptions = {},
): RemoteProcess {
  const exec = randomUUID();
  const begun = Promise.withResolvers<void>();
  const { cwd, env } = options;
  return startRemote(
    {
      async run(streams) {
        const { stream, answered } = connection.join(`/containers/${id}/programs`);
        const order = Buffer.from(JSON.stringify({ exec, argv, cwd, env }));
        stream.write(frameHeader(CHANNEL.said, order.length));
        stream.write(order);
        await answered.finally(() => begun.resolve());
        const feeding = feed(streams.stdin, stream);
        feeding.catch(() => undefined);
        const said: Buffer[] = [];
        try {
          for await (const { channel, chunk } of readFrames(stream)) {
            if (channel === CHANNEL.said) said.push(chunk);
            else await streams.deliver(channel === CHANNEL.stderr ? "stderr" : "stdout", chunk);
          }
        } finally {
          if (!stream.closed) stream.close();
        }
        return parseJson(Buffer.concat(said), exitSchema).code;
      },
      kill() {
        // What is still being started has no name there yet.
        begun.promise
          .then(() => connection.tell("POST", `/containers/${id}/kill`, { exec }))
          .catch(() => undefined);
      },
    },
    options,
  );
}

async function feed(stdin: Readable, stream: NodeJS.WritableStream & Parameters<typeof waitForRoom>[0]) {
  for await (const chunk of stdin as AsyncIterable<Buffer>) {
    if (stream.destroyed) return;
    stream.write(frameHeader(STDIN, chunk.length));
    if (!stream.write(chunk)) await waitForRoom(stream);
  }
  stream.end();
}
