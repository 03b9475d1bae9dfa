import type Docker from "dockerode";
import { randomUUID } from "node:crypto";
import type { Readable } from "node:stream";
import { finished } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { ExecOptions } from "../sandbox.ts";
import type { ChildStreams } from "../streams/child-streams.ts";
import { execBody } from "./container-body.ts";
import { CHANNEL, readFrames } from "../streams/framing.ts";
import { killArgv, markOf } from "./kill-script.ts";
import { startRemote, type RemoteProcess } from "../streams/remote-process.ts";

/** How long a program may outlive its kill before the container is ended with it. */
const KILL_GRACE_MS = 2_000;
const EXIT_TRIES = 50;
const EXIT_ASK_MS = 20;

/** Starts a program in a container. */
export function execInContainer(
  container: Docker.Container,
  argv: readonly string[],
  options: ExecOptions = {},
): RemoteProcess {
  const mark = randomUUID();
  const begun = Promise.withResolvers<boolean>();
  let ended = false;
  let killed = false;

  const kill = async () => {
    // What is still being started is killed once it is there.
    if (!(await begun.promise) || ended) return;
    const killer = await start(container, execBody(killArgv(mark), {}, "SWARM_EXEC="));
    killer.socket.on("error", () => undefined).resume();
  };
  return startRemote(
    {
      async run(streams) {
        try {
          if (killed) return null;
          const started = await start(container, execBody(argv, options, markOf(mark)));
          begun.resolve(true);
          return await attend(started, streams);
        } finally {
          ended = true;
          begun.resolve(false);
        }
      },
      kill() {
        killed = true;
        kill().catch(() => undefined);
        const lastResort = () => {
          if (!ended) container.kill().catch(() => undefined);
        };
        setTimeout(lastResort, KILL_GRACE_MS).unref();
      },
    },
    options,
  );
}

interface Started {
  readonly exec: Docker.Exec;
  readonly socket: NodeJS.ReadWriteStream & Readable;
}

async function start(container: Docker.Container, body: Docker.ExecCreateOptions): Promise<Started> {
  const exec = await container.exec(body);
  const socket = (await exec.start({ hijack: true, stdin: true })) as unknown as Started["socket"];
  return { exec, socket };
}

async function attend({ exec, socket }: Started, streams: ChildStreams): Promise<number | null> {
  socket.on("error", () => undefined);
  // The end of this pipe closes the program's stdin, while its output goes on.
  streams.stdin.pipe(socket);
  for await (const { channel, chunk } of readFrames(socket)) {
    await streams.deliver(channel === CHANNEL.stderr ? "stderr" : "stdout", chunk);
  }
  for (let tries = 0; tries < EXIT_TRIES; tries += 1) {
    const { Running, ExitCode } = await exec.inspect();
    if (!Running) return ExitCode;
    await sleep(EXIT_ASK_MS);
  }
  return null;
}

/** Runs what the engine is asked for with `input` as its stdin; resolves with its exit code and the end of what it said. */
export async function feed(
  container: Docker.Container,
  body: Docker.ExecCreateOptions,
  input: Readable,
): Promise<{ readonly code: number | null; readonly said: string }> {
  let said = "";
  const child = startRemote({
    run: async (streams) => attend(await start(container, body), streams),
    kill: () => container.kill().catch(() => undefined),
  });
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => (said = (said + chunk.toString()).slice(-2_000)));
  }
  finished(input, { writable: false }).catch(() => child.kill());
  input.pipe(child.stdin);
  const { code } = await child.exit;
  return { code, said };
}
