import type Docker from "dockerode";
import { Fault } from "@agentswarm/contracts";
import type { SandboxLimits } from "../sandbox.ts";
import { unpackBody } from "./container-body.ts";
import { figuresOf, UNKNOWN, type Used } from "./container-figures.ts";
import type { Container } from "./container-host.ts";
import { execInContainer, feed } from "./exec-in-container.ts";
import type { RemoteProcess } from "./remote-process.ts";

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
  const running = new Set<RemoteProcess>();
  const moved = { in: 0, out: 0 };
  let used: Used | undefined;
  let ended: Promise<void> | undefined;

  const end = async () => {
    // Counted before its end: the engine forgets with the container.
    const last = figuresOf(container);
    const exits = [...running].map((child) => child.exit);
    used = await last;
    for (const child of running) child.kill();
    await removeContainer(container);
    await Promise.all(exits);
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
    exec(argv, options) {
      const child = execInContainer(container, argv, options);
      running.add(child);
      void child.exit.then(() => {
        running.delete(child);
        const bytes = child.bytes();
        moved.in += bytes.in;
        moved.out += bytes.out;
      });
      return child;
    },
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
      const bytes = [...running].map((child) => child.bytes());
      const sum = (way: "in" | "out") => bytes.reduce((total, one) => total + one[way], moved[way]);
      const now = ended === undefined ? await figuresOf(container) : (used ?? UNKNOWN);
      return { readyMs, ...now, bytesIn: sum("in"), bytesOut: sum("out"), costUsd: 0 };
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
