import { hostname } from "node:os";
import { describeProcess, isRunning, type Owner } from "../local/owner.ts";
import type { SandboxProvider } from "../sandbox.ts";
import { DEFAULT_SANDBOX_IMAGE, DEFAULT_WORK_BYTES, openDockerHost } from "./docker-host.ts";
import { provideContainers } from "./provide-containers.ts";

export interface DockerProviderOptions {
  readonly swarm: string;
  readonly image?: string | undefined;
  /** Room in each sandbox's work folder. */
  readonly workBytes?: number | undefined;
}

interface HostedOwner extends Owner {
  readonly host: string;
}

/** Sandboxes on this machine's own engine. Throws Fault `sandbox.unavailable` where there is none, or no image. */
export async function openDockerProvider(options: DockerProviderOptions): Promise<SandboxProvider> {
  const own: HostedOwner = { ...describeProcess(process.pid), host: hostname() };
  const host = await openDockerHost({
    image: options.image ?? DEFAULT_SANDBOX_IMAGE,
    workBytes: options.workBytes ?? DEFAULT_WORK_BYTES,
    owner: JSON.stringify(own),
    isOrphaned: isGone,
  });
  return provideContainers(host, options.swarm);
}

/** Whether the process that opened it is known to be dead; those of other machines and of brokers are not ours to judge. */
function isGone(owner: string): boolean {
  try {
    const { host, ...process } = JSON.parse(owner) as HostedOwner;
    return host === hostname() && !isRunning(process);
  } catch {
    return false;
  }
}
