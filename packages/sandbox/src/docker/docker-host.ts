import Docker from "dockerode";
import { randomUUID } from "node:crypto";
import { Fault } from "@agentswarm/contracts";
import type { SandboxInfo, SandboxLimits } from "../sandbox.ts";
import { containerBody, readLabels, filterOf } from "./container-body.ts";
import type { Container, ContainerHost, ContainerOrder } from "./container-host.ts";
import { openContentVolumes } from "./content-volumes.ts";
import { attendContainer, removeContainer } from "./docker-container.ts";

export const DEFAULT_SANDBOX_IMAGE = "agentswarm-sandbox";
export const DEFAULT_WORK_BYTES = 2 * 1024 ** 3;

export interface DockerHostOptions {
  readonly image: string;
  /** Room in the work folder of each sandbox. */
  readonly workBytes: number;
  /** Written into the containers' labels. */
  readonly owner: string;
  /** Whether the one that wrote this label is gone; `isLive` tells that this very host has it. */
  readonly isOrphaned: (owner: string, isLive: boolean) => boolean;
}

/**
 * This machine's engine, found as its own client finds it (DOCKER_HOST or the usual socket). Throws Fault
 * `sandbox.unavailable` that says what to do when it does not answer or the image is missing.
 */
export async function openDockerHost(options: DockerHostOptions): Promise<ContainerHost> {
  const { image, workBytes, owner, isOrphaned } = options;
  const docker = new Docker();
  const unenforced = await examine(docker, image);
  const contents = openContentVolumes(docker, image);
  await contents.clean(Date.now()).catch(() => undefined);
  /** Those being opened have no container yet to be ended by. */
  const live = new Map<string, Container | null>();

  const volumesFor = async (order: ContainerOrder) => {
    const found = order.contents.map(async ({ key }) => {
      const volume = await contents.volumeOf(key);
      if (volume === null) throw died(`the content ${key} is not there`);
      return [key, volume] as const;
    });
    return new Map(await Promise.all(found));
  };

  const start = async (body: Docker.ContainerCreateOptions, volumes: ReadonlyMap<string, string>) => {
    const container = await docker.createContainer(body);
    try {
      await container.start();
      // Removed in between, the engine has made an empty one of the same name.
      const still = await Promise.all([...volumes.keys()].map((key) => contents.volumeOf(key)));
      if (still.some((volume, i) => volume !== [...volumes.values()][i])) throw died("its content is gone");
      return container;
    } catch (error) {
      await removeContainer(container).catch(() => undefined);
      throw error;
    }
  };

  return {
    unenforced,
    hasContent: async (key) => (await contents.volumeOf(key)) !== null,
    putContent: (key, tar) => contents.put(key, tar),
    async open(order) {
      const askedAt = performance.now();
      const id = `${order.labels.swarm}-${randomUUID().slice(0, 13)}`;
      const onEnd = () => void live.delete(id);
      live.set(id, null);
      try {
        const volumes = await volumesFor(order);
        const body = containerBody({ id, image, owner, workBytes, order, volumes });
        const container = await start(body, volumes);
        const readyMs = performance.now() - askedAt;
        const attended = attendContainer({ id, container, limits: order.limits, readyMs, onEnd });
        live.set(id, attended);
        return attended;
      } catch (error) {
        onEnd();
        throw error instanceof Fault ? error : died((error as Error).message, error);
      }
    },
    async list(swarm) {
      const found = await docker.listContainers({ all: true, filters: { label: [filterOf(swarm)] } });
      return found.flatMap(({ Names, Labels, State }): SandboxInfo[] => {
        if (State === "removing") return [];
        const id = Names[0]?.replace(/^\//, "") ?? "";
        const written = readLabels(Labels);
        return [{ id, labels: written.labels, orphaned: isOrphaned(written.owner, live.has(id)) }];
      });
    },
    async terminate(id) {
      await (live.get(id)?.terminate() ?? removeContainer(docker.getContainer(id)));
    },
  };
}

function died(message: string, cause?: unknown): Fault {
  return new Fault("sandbox.died", `a container could not be made ready: ${message}`, {
    retryable: true,
    ...(cause === undefined ? {} : { cause }),
  });
}

/** Whether the engine and the image are there; tells the limits that this engine cannot enforce. */
async function examine(docker: Docker, image: string): Promise<(keyof SandboxLimits)[]> {
  const info = await docker.info().catch((error: Error) => {
    throw new Fault(
      "sandbox.unavailable",
      `SANDBOX_PROVIDER=docker: the engine does not answer (${error.message}); start Docker, or name a broker by BROKER_URL`,
      { cause: error },
    );
  });
  const there = await docker
    .getImage(image)
    .inspect()
    .then(
      () => true,
      () => false,
    );
  if (!there) {
    throw new Fault(
      "sandbox.unavailable",
      `SANDBOX_IMAGE: there is no image ${image}; build it: docker build -t ${image} -f infra/sandbox.Dockerfile infra`,
    );
  }
  const { MemoryLimit, PidsLimit, CpuCfsQuota } = info as Record<string, boolean | undefined>;
  const enforced = { memoryBytes: MemoryLimit, pids: PidsLimit, cpus: CpuCfsQuota };
  return (["memoryBytes", "pids", "cpus"] as const).filter((limit) => enforced[limit] === false);
}
