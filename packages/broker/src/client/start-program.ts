import { randomUUID } from "node:crypto";
import type { Readable } from "node:stream";
import type { ExecOptions } from "@agentswarm/sandbox";
import {
  CHANNEL,
  frameHeader,
  readFrames,
  startRemoteProcess,
  waitForDrain,
  type RemoteProcess,
} from "@agentswarm/sandbox/streams";
import { exitSchema } from "../protocol.ts";
import { parseJson } from "../read-json.ts";
import type { Connection } from "./connection.ts";

/** Starts a program in a container of the broker. */
export function startProgram(
  connection: Connection,
  id: string,
  argv: readonly string[],
  options: ExecOptions = {},
): RemoteProcess {
  const exec = randomUUID();
  const started = Promise.withResolvers<void>();
  const { cwd, env } = options;
  return startRemoteProcess(
    {
      async run(streams) {
        const { stream, accepted } = connection.openStream(`/containers/${id}/programs`);
        const request = Buffer.from(JSON.stringify({ exec, argv, cwd, env }));
        stream.write(frameHeader(CHANNEL.control, request.length));
        stream.write(request);
        await accepted.finally(() => started.resolve());
        sendStdin(streams.stdin, stream).catch(() => undefined);
        const exit: Buffer[] = [];
        try {
          for await (const { channel, chunk } of readFrames(stream)) {
            if (channel === CHANNEL.control) exit.push(chunk);
            else await streams.deliver(channel === CHANNEL.stderr ? "stderr" : "stdout", chunk);
          }
        } finally {
          if (!stream.closed) stream.close();
        }
        return parseJson(Buffer.concat(exit), exitSchema).code;
      },
      kill() {
        // Before it has started, the broker does not know the program.
        started.promise
          .then(() => connection.send("POST", `/containers/${id}/kill`, { exec }))
          .catch(() => undefined);
      },
    },
    options,
  );
}

async function sendStdin(
  stdin: Readable,
  stream: NodeJS.WritableStream & Parameters<typeof waitForDrain>[0],
) {
  for await (const chunk of stdin as AsyncIterable<Buffer>) {
    if (stream.destroyed) return;
    stream.write(frameHeader(CHANNEL.stdin, chunk.length));
    if (!stream.write(chunk)) await waitForDrain(stream);
  }
  stream.end();
}
