import type { Readable } from "node:stream";
import type {
  ExecOptions,
  SandboxFigures,
  SandboxInfo,
  SandboxLabels,
  Safeguard,
  SandboxLimits,
  SandboxProcess,
} from "../sandbox.ts";

/** Content that a host holds under a key, the SHA-256 of its tar stream. It is visible at `at`, or without `at` only at `contentPath(key)`. */
export interface HeldContent {
  readonly key: string;
  /** Relative to the work folder. */
  readonly at?: string | undefined;
}

/** What a client may choose of a container. */
export interface ContainerOrder {
  readonly labels: SandboxLabels;
  readonly limits: SandboxLimits;
  readonly contents: readonly HeldContent[];
}

/** A sandbox on the side of the engine; files arrive as tar streams. */
export interface Container {
  readonly id: string;
  exec(argv: readonly string[], options?: ExecOptions): SandboxProcess;
  /** Unpacks files into the work folder, where the guest can neither change nor remove them. */
  putFiles(tar: Readable): Promise<void>;
  figures(): Promise<SandboxFigures>;
  terminate(): Promise<void>;
}

/**
 * Makes containers, on the local engine or through a broker. A broker offers exactly these methods, which cannot name an
 * image, a folder of the host, a privilege or a network.
 */
export interface ContainerHost {
  readonly unenforced: readonly Safeguard[];
  hasContent(key: string): Promise<boolean>;
  /** Stores the content of the tar stream under the key; if several do so at once, the first one is kept. */
  putContent(key: string, tar: Readable): Promise<void>;
  /** Throws Fault `sandbox.died` (retryable) when the container cannot be made ready. */
  open(order: ContainerOrder): Promise<Container>;
  /** Lists the sandboxes of one swarm, or with null those of all swarms. */
  list(swarm: string | null): Promise<SandboxInfo[]>;
  /** Throws Fault `not-found` for a container that no sandbox is, or another owner's. */
  terminate(id: string): Promise<void>;
}

/** Path of the work folder inside. */
export const WORK = "/work";

/** Returns the path of content that has no path in the work folder. */
export function contentPath(key: string): string {
  return `/opt/swarm/${key}`;
}
