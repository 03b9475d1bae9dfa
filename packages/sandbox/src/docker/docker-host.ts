import Docker from "dockerode";
import { randomUUID } from "node:crypto";
import { Fault } from "@agentswarm/contracts";
import type { Safeguard, SandboxInfo } from "../sandbox.ts";
import { filterOption } from "./engine-filter.ts";
import { containerBody, filterOf, readLabels } from "./container-body.ts";
import type { Container, ContainerHost, ContainerOrder } from "./container-host.ts";
import { openContentVolumes } from "./content-volumes.ts";
import { removeContainer, trackContainer } from "./docker-container.ts";

export const DEFAULT_SANDBOX_IMAGE = "agentswarm-sandbox";
export const DEFAULT_WORK_BYTES = 2 * 1024 ** 3;

/** What decides whether a container is orphaned. */
export interface ContainerFacts {
  /** The owner label, as its owner wrote it. */
  readonly owner: string;
  /** Whether this very host has opened it and not ended it. */
  readonly isLive: boolean;
  /** Whether the container has stopped, at the latest a minute after its wall time, and was not removed. */
  readonly hasStopped: boolean;
}

export interface DockerHostOptions {
  readonly image: string;
  /** Size limit of the work folder of each sandbox. */
  readonly workBytes: number;
  /** Written into the labels of the containers. */
  readonly owner: string;
  readonly isOrphaned: (facts: ContainerFacts) => boolean;
  /** Whether this host may end the container of this owner; by default that of every sandbox. */
  readonly mayEnd?: (owner: string) => boolean;
}

/**
 * Opens the local engine, found as the Docker client finds it (DOCKER_HOST or the usual socket). Throws Fault
 * `sandbox.unavailable` that says what to do when the engine does not answer or the image is missing.
 */
export async function openDockerHost(options: DockerHostOptions): Promise<ContainerHost> {
  const { image, workBytes, owner, isOrphaned, mayEnd = () => true } = options;
  const docker = new Docker();
  const { unenforced, filter } = await checkEngine(docker, image);
  const contents = openContentVolumes(docker, image);
  await contents.clean(Date.now()).catch(() => undefined);
  /** Null for a sandbox that is being opened and has no container yet. */
  const live = new Map<string, Container | null>();

  const volumesFor = async (order: ContainerOrder) => {
    const found = order.contents.map(async ({ key }) => {
      const volume = await contents.volumeOf(key);
      if (volume === null) throw notReady(`content ${key} is missing`);
      return [key, volume] as const;
    });
    return new Map(await Promise.all(found));
  };

  const start = async (body: Docker.ContainerCreateOptions, volumes: ReadonlyMap<string, string>) => {
    const container = await docker.createContainer(body);
    try {
      await container.start();
      // If a volume was removed in between, the engine has created an empty one of the same name.
      const still = await Promise.all([...volumes.keys()].map((key) => contents.volumeOf(key)));
      if (still.some((volume, i) => volume !== [...volumes.values()][i]))
        throw notReady("its content was removed");
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
      const startedAt = performance.now();
      const id = `${order.labels.swarm}-${randomUUID().slice(0, 13)}`;
      const onEnd = () => void live.delete(id);
      live.set(id, null);
      try {
        const volumes = await volumesFor(order);
        const body = containerBody({ id, image, owner, workBytes, filter, order, volumes });
        const container = await start(body, volumes);
        const readyMs = performance.now() - startedAt;
        const tracked = trackContainer({ id, container, limits: order.limits, readyMs, onEnd });
        live.set(id, tracked);
        return tracked;
      } catch (error) {
        onEnd();
        throw error instanceof Fault ? error : notReady((error as Error).message, error);
      }
    },
    async list(swarm) {
      const found = await docker.listContainers({ all: true, filters: { label: [filterOf(swarm)] } });
      return found.flatMap(({ Names, Labels, State }): SandboxInfo[] => {
        if (State === "removing") return [];
        const id = Names[0]?.replace(/^\//, "") ?? "";
        const written = readLabels(Labels);
        const hasStopped = State === "exited" || State === "dead";
        const orphaned = isOrphaned({ owner: written.owner, isLive: live.has(id), hasStopped });
        return [{ id, labels: written.labels, orphaned }];
      });
    },
    async terminate(id) {
      const mine = live.get(id);
      if (mine) return mine.terminate();
      const container = docker.getContainer(id);
      const present = await container.inspect().catch((error: { statusCode?: number }) => {
        if (error.statusCode === 404) return null;
        throw error;
      });
      // One that is gone is no error: it was to be ended.
      if (present === null) return;
      const { owner: its } = readLabels(present.Config.Labels);
      if (its === "" || !mayEnd(its)) throw new Fault("not-found", `there is no sandbox ${id}`);
      await removeContainer(container);
    },
  };
}

function notReady(reason: string, cause?: unknown): Fault {
  return new Fault("sandbox.died", `a container could not be made ready: ${reason}`, {
    retryable: true,
    ...(cause === undefined ? {} : { cause }),
  });
}

/** Checks that the engine answers and has the image; returns what this engine cannot enforce. */
async function checkEngine(
  docker: Docker,
  image: string,
): Promise<{ unenforced: readonly Safeguard[]; filter: string | null }> {
  const info = await docker.info().catch((error: Error) => {
    throw new Fault(
      "sandbox.unavailable",
      `SANDBOX_PROVIDER=docker: the Docker engine does not answer (${error.message}): start Docker, or set BROKER_URL to a broker`,
      { cause: error },
    );
  });
  const hasImage = await docker
    .getImage(image)
    .inspect()
    .then(
      () => true,
      () => false,
    );
  if (!hasImage) {
    throw new Fault(
      "sandbox.unavailable",
      `SANDBOX_IMAGE: image ${image} does not exist; build it: docker build -t ${image} -f infra/sandbox.Dockerfile infra`,
    );
  }
  const { MemoryLimit, PidsLimit, CpuCfsQuota } = info as Record<string, boolean | undefined>;
  const { SecurityOptions } = info as { SecurityOptions?: string[] | null };
  const seccomp = SecurityOptions?.some((option) => option.startsWith("name=seccomp"));
  const enforced = { memoryBytes: MemoryLimit, pids: PidsLimit, cpus: CpuCfsQuota, seccomp };
  const names = ["memoryBytes", "pids", "cpus", "seccomp"] as const;
  return {
    unenforced: names.filter((one) => enforced[one] === false),
    filter: seccomp === false ? null : filterOption(String(info.ServerVersion)),
  };
}
