import type { Readable } from "node:stream";
import type {
  ExecOptions,
  SandboxFigures,
  SandboxInfo,
  SandboxLabels,
  SandboxLimits,
  SandboxProcess,
} from "../sandbox.ts";

/** Content that is held under a key, and where it is seen; without `at` under `contentPath(key)` only. */
export interface HeldContent {
  readonly key: string;
  /** Relative to the work folder. */
  readonly at?: string | undefined;
}

export interface ContainerOrder {
  readonly labels: SandboxLabels;
  readonly limits: SandboxLimits;
  readonly contents: readonly HeldContent[];
}

/** A sandbox as the holder of the engine sees it: what is carried in comes as tar streams. */
export interface Container {
  readonly id: string;
  exec(argv: readonly string[], options?: ExecOptions): SandboxProcess;
  /** Unpacks files into the work folder, where the guest can neither change nor remove them. */
  putFiles(tar: Readable): Promise<void>;
  figures(): Promise<SandboxFigures>;
  terminate(): Promise<void>;
}

/**
 * Makes containers, on this machine's engine or through a broker. What it offers is all that a broker offers: there is
 * no word in it for an image, a folder of the host, a privilege or a network.
 */
export interface ContainerHost {
  readonly unenforced: readonly (keyof SandboxLimits)[];
  hasContent(key: string): Promise<boolean>;
  /** Keeps what the tar stream holds under the key; the first to do so wins. */
  putContent(key: string, tar: Readable): Promise<void>;
  /** Throws Fault `sandbox.died` (retryable) when it cannot be made ready. */
  open(order: ContainerOrder): Promise<Container>;
  /** Of one swarm, or of all. */
  list(swarm: string | null): Promise<SandboxInfo[]>;
  terminate(id: string): Promise<void>;
}

/** The work folder as seen inside. */
export const WORK = "/work";

/** Where content is seen that is not put at a place of its own in the work folder. */
export function contentPath(key: string): string {
  return `/opt/swarm/${key}`;
}
