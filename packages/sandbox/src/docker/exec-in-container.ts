import type Docker from "dockerode";
import { randomUUID } from "node:crypto";
import type { Readable } from "node:stream";
import { finished } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { ExecOptions } from "../sandbox.ts";
import type { ChildStreams } from "../streams/child-streams.ts";
import { CHANNEL, readFrames } from "../streams/framing.ts";
import { startRemoteProcess, type RemoteProcess } from "../streams/remote-process.ts";
import { ERROR_TAIL_CHARS, openTail } from "../streams/tail.ts";
import { execBody } from "./container-body.ts";
import { killArgv, markOf } from "./kill-script.ts";

/** How long a program may outlive its kill before the whole container is killed. */
const KILL_GRACE_MS = 2_000;
const EXIT_TRIES = 50;
const EXIT_POLL_MS = 20;

/** Starts a program in a container. */
export function execInContainer(
  container: Docker.Container,
  argv: readonly string[],
  options: ExecOptions = {},
): RemoteProcess {
  const mark = randomUUID();
  const started = Promise.withResolvers<boolean>();
  let ended = false;
  let killed = false;

  const kill = async () => {
    // A program that is still being started is killed once it has started.
    if (!(await started.promise) || ended) return;
    const killer = await startExec(container, execBody(killArgv(mark), {}, "SWARM_EXEC="));
    killer.socket.on("error", () => undefined).resume();
  };
  return startRemoteProcess(
    {
      async run(streams) {
        try {
          if (killed) return null;
          const program = await startExec(container, execBody(argv, options, markOf(mark)));
          started.resolve(true);
          return await joinStreams(program, streams);
        } finally {
          ended = true;
          started.resolve(false);
        }
      },
      kill() {
        killed = true;
        kill().catch(() => undefined);
        const killContainer = () => {
          if (!ended) container.kill().catch(() => undefined);
        };
        setTimeout(killContainer, KILL_GRACE_MS).unref();
      },
    },
    options,
  );
}

interface StartedExec {
  readonly exec: Docker.Exec;
  readonly socket: NodeJS.ReadWriteStream & Readable;
}

async function startExec(container: Docker.Container, body: Docker.ExecCreateOptions): Promise<StartedExec> {
  const exec = await container.exec(body);
  const socket = (await exec.start({ hijack: true, stdin: true })) as unknown as StartedExec["socket"];
  return { exec, socket };
}

/** Passes the streams of a program on until its output ends; returns its exit code, null when the engine does not know it. */
async function joinStreams({ exec, socket }: StartedExec, streams: ChildStreams): Promise<number | null> {
  socket.on("error", () => undefined);
  // The end of this pipe closes the program's stdin while its output continues.
  streams.stdin.pipe(socket);
  for await (const { channel, chunk } of readFrames(socket)) {
    await streams.deliver(channel === CHANNEL.stderr ? "stderr" : "stdout", chunk);
  }
  for (let tries = 0; tries < EXIT_TRIES; tries += 1) {
    const { Running, ExitCode } = await exec.inspect();
    if (!Running) return ExitCode;
    await sleep(EXIT_POLL_MS);
  }
  return null;
}

/** Runs a program with `input` as its stdin until it exits. */
export async function runWithInput(
  container: Docker.Container,
  body: Docker.ExecCreateOptions,
  input: Readable,
): Promise<{ readonly code: number | null; readonly outputTail: string }> {
  const tail = openTail(ERROR_TAIL_CHARS);
  const child = startRemoteProcess({
    run: async (streams) => joinStreams(await startExec(container, body), streams),
    kill: () => container.kill().catch(() => undefined),
  });
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => tail.add(chunk.toString()));
  }
  finished(input, { writable: false }).catch(() => child.kill());
  input.pipe(child.stdin);
  const { code } = await child.exit;
  return { code, outputTail: tail.text() };
}
