import type Docker from "dockerode";
import { Fault } from "@agentswarm/contracts";
import { openRunningProcesses } from "../running-processes.ts";
import type { SandboxLimits } from "../sandbox.ts";
import { unpackBody } from "./container-body.ts";
import { figuresOf, UNKNOWN, type Used } from "./container-figures.ts";
import type { Container } from "./container-host.ts";
import { execInContainer, feed } from "./exec-in-container.ts";
import type { RemoteProcess } from "../streams/remote-process.ts";

export interface RunningContainer {
  readonly id: string;
  readonly container: Docker.Container;
  readonly limits: SandboxLimits;
  readonly readyMs: number;
  /** Called once, when it is gone. */
  readonly onEnd: () => void;
}

/** A container that runs, as what is started in it, carried into it, and told of it. */
export function attendContainer({ id, container, limits, readyMs, onEnd }: RunningContainer): Container {
  const running = openRunningProcesses<RemoteProcess>();
  let used: Used | undefined;
  let ended: Promise<void> | undefined;

  const end = async () => {
    // Counted before its end: the engine forgets with the container.
    const last = figuresOf(container);
    const exits = running.ended();
    used = await last;
    running.kill();
    await removeContainer(container);
    await exits;
  };
  const terminate = () => {
    clearTimeout(deadline);
    ended ??= end().then(onEnd, (error: unknown) => {
      // Whoever asks again tries again.
      ended = undefined;
      throw error;
    });
    return ended;
  };
  const deadline = setTimeout(() => void terminate().catch(() => undefined), limits.wallMs);

  return {
    id,
    exec: (argv, options) => running.add(execInContainer(container, argv, options)),
    async putFiles(tar) {
      const { code, said } = await feed(container, unpackBody(), tar);
      if (code === 0) return;
      throw new Fault(
        "sandbox.died",
        `files could not be carried into a sandbox: ${said || `exit ${code}`}`,
        {
          retryable: true,
        },
      );
    },
    async figures() {
      const now = ended === undefined ? await figuresOf(container) : (used ?? UNKNOWN);
      return { readyMs, ...now, ...running.figures(), costUsd: 0 };
    },
    terminate,
  };
}

/** Kills everything in a container and removes it; one that is gone, or being removed, is fine. */
export async function removeContainer(container: Docker.Container): Promise<void> {
  try {
    await container.remove({ force: true, v: true });
  } catch (error) {
    const { statusCode } = error as { statusCode?: number };
    if (statusCode === 404) return;
    if (statusCode !== 409) throw error;
    await container.wait({ condition: "removed" }).catch(() => undefined);
  }
}
