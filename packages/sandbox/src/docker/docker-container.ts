import type Docker from "dockerode";
import { Fault } from "@agentswarm/contracts";
import { UNKNOWN_FIGURES, type CgroupFigures } from "../cgroup-figures.ts";
import { openRunningProcesses } from "../running-processes.ts";
import type { SandboxLimits } from "../sandbox.ts";
import type { RemoteProcess } from "../streams/remote-process.ts";
import { unpackBody } from "./container-body.ts";
import type { Container } from "./container-host.ts";
import { execInContainer, runWithInput } from "./exec-in-container.ts";
import { readContainerFigures } from "./read-container-figures.ts";

export interface RunningContainer {
  readonly id: string;
  readonly container: Docker.Container;
  readonly limits: SandboxLimits;
  readonly readyMs: number;
  /** Called once, when the container was removed. */
  readonly onEnd: () => void;
}

/** Tracks a running container: its programs, its figures, and its end at its wall time. */
export function trackContainer({ id, container, limits, readyMs, onEnd }: RunningContainer): Container {
  const running = openRunningProcesses<RemoteProcess>();
  let used: CgroupFigures | undefined;
  let ended: Promise<void> | undefined;

  const end = async () => {
    // Read before the container is removed, because its figures are lost with it.
    const reading = readContainerFigures(container);
    const exits = running.ended();
    used = await reading;
    running.kill();
    await removeContainer(container);
    await exits;
  };
  const terminate = () => {
    clearTimeout(deadline);
    ended ??= end().then(onEnd, (error: unknown) => {
      // The next call retries.
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
      const { code, outputTail } = await runWithInput(container, unpackBody(), tar);
      if (code === 0) return;
      const reason = outputTail || `exit ${code}`;
      throw new Fault("sandbox.died", `files could not be unpacked in sandbox ${id}: ${reason}`, {
        retryable: true,
      });
    },
    async figures() {
      const now = ended === undefined ? await readContainerFigures(container) : (used ?? UNKNOWN_FIGURES);
      return { readyMs, ...now, ...running.figures(), costUsd: 0 };
    },
    terminate,
  };
}

/** Kills everything in a container and removes it. A container that is gone or is being removed is no error. */
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
