import { describeProcess, ownerSchema, ownerState } from "@agentswarm/contracts/node";
import type { SandboxProvider } from "../sandbox.ts";
import {
  DEFAULT_SANDBOX_IMAGE,
  DEFAULT_WORK_BYTES,
  openDockerHost,
  type ContainerFacts,
} from "./docker-host.ts";
import { provideContainers } from "./provide-containers.ts";

// The files of this folder, in the order in which a sandbox passes through them:
//   provide-containers   a SandboxProvider over a ContainerHost (container-host.ts: this engine, or a broker)
//   upload-mounts        mounts become content with a key (content-volumes) or packed files (pack-files)
//   docker-host          opens, lists and removes containers; container-body is the engine's request for one
//   docker-container     tracks one container from its start to its removal
//   exec-in-container    starts a program and joins its streams
//   kill-script          kills a program with everything it started
//   read-container-figures   reads CPU time and memory before the container is removed

export interface DockerProviderOptions {
  readonly swarm: string;
  readonly image?: string | undefined;
  /** Size limit of each sandbox's work folder. */
  readonly workBytes?: number | undefined;
}

/**
 * Opens the provider of sandboxes on the local engine. Throws Fault `sandbox.unavailable` when the engine does not
 * answer or has no such image.
 */
export async function openDockerProvider(options: DockerProviderOptions): Promise<SandboxProvider> {
  const host = await openDockerHost({
    image: options.image ?? DEFAULT_SANDBOX_IMAGE,
    workBytes: options.workBytes ?? DEFAULT_WORK_BYTES,
    owner: JSON.stringify(describeProcess(process.pid)),
    isOrphaned,
  });
  return provideContainers(host, options.swarm);
}

/**
 * Several hosts may share an engine. A container of another host, or of a broker, is orphaned only once it has stopped
 * by itself, which it does a minute after its wall time.
 */
function isOrphaned({ owner, hasStopped }: ContainerFacts): boolean {
  const state = stateOf(owner);
  return state === "unknown" ? hasStopped : state === "gone";
}

function stateOf(owner: string): ReturnType<typeof ownerState> {
  try {
    return ownerState(ownerSchema.parse(JSON.parse(owner)));
  } catch {
    // Written by a broker.
    return "unknown";
  }
}
