import type { ContainerCreateOptions } from "dockerode";
import { join } from "node:path";
import { toLabels } from "../labels.ts";
import type { ExecOptions, SandboxInfo } from "../sandbox.ts";
import { contentPath, WORK, type ContainerOrder } from "./container-host.ts";
import { guardedArgv } from "./kill-script.ts";

/** The user that programs run as; the image has it. */
const GUEST = "1000:1000";
const NANOS = 1e9;
/** The container ends by itself this long after its wall time, in case the process that should end it is gone. */
const BACKSTOP_SECONDS = 60;
const LABEL = "agentswarm.";

export interface BodyOptions {
  readonly id: string;
  readonly image: string;
  readonly owner: string;
  /** The most that `diskBytes` may be: the work folder and /tmp are memory of the container. */
  readonly workBytes: number;
  readonly order: ContainerOrder;
  /** Beside the engine's own safeguards; see engine-filter.ts. */
  readonly filter: string | null;
  /** Volume names by content key. */
  readonly volumes: ReadonlyMap<string, string>;
}

/**
 * Builds the engine's request for a container. Only labels, limits and content come from the order; there is no privilege,
 * no network, no folder of the host, and the root is read-only.
 */
export function containerBody({ id, image, owner, workBytes, filter, order, volumes }: BodyOptions) {
  const { limits, contents } = order;
  const folderBytes = Math.min(workBytes, limits.diskBytes);
  const idleSeconds = Math.ceil(limits.wallMs / 1_000) + BACKSTOP_SECONDS;
  return {
    name: id,
    Image: image,
    Hostname: "sandbox",
    User: GUEST,
    WorkingDir: WORK,
    Entrypoint: [],
    Cmd: ["sleep", String(idleSeconds)],
    Labels: writeLabels(order.labels, owner),
    NetworkDisabled: true,
    StopTimeout: 0,
    HostConfig: {
      Init: true,
      NetworkMode: "none",
      CapDrop: ["ALL"],
      SecurityOpt: ["no-new-privileges", ...(filter === null ? [] : [filter])],
      Privileged: false,
      ReadonlyRootfs: true,
      Memory: limits.memoryBytes,
      MemorySwap: limits.memoryBytes,
      PidsLimit: limits.pids,
      NanoCpus: Math.round(limits.cpus * NANOS),
      LogConfig: { Type: "none", Config: {} },
      // Owned by root and sticky: the guest can create files there, but cannot change or remove the uploaded ones.
      Tmpfs: {
        [WORK]: `rw,exec,nosuid,nodev,mode=1777,size=${folderBytes}`,
        "/tmp": `rw,exec,nosuid,nodev,mode=1777,size=${folderBytes}`,
        "/tmp/home": `rw,exec,nosuid,nodev,mode=0700,uid=1000,gid=1000,size=${folderBytes}`,
      },
      Mounts: contents.map(({ key, at }) => ({
        Type: "volume" as const,
        Source: volumes.get(key) ?? "",
        Target: at === undefined ? contentPath(key) : join(WORK, at),
        ReadOnly: true,
        VolumeOptions: { NoCopy: true, Labels: {}, DriverConfig: { Name: "", Options: {} }, Subpath: "" },
      })),
    },
  } satisfies ContainerCreateOptions;
}

/** Builds the engine's request for a program of the guest; nothing of the container's environment is passed to it. */
export function execBody(argv: readonly string[], options: ExecOptions, mark: string) {
  const path = ["/usr/local/bin", `${WORK}/node_modules/.bin`, "/usr/bin", "/bin"].join(":");
  const env = { PATH: path, HOME: "/tmp/home", LANG: "C.UTF-8", TMPDIR: "/tmp", ...options.env };
  const assignments = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  return {
    Cmd: guardedArgv(["/usr/bin/env", "-i", ...assignments, ...argv]),
    Env: [mark],
    User: GUEST,
    WorkingDir: join(WORK, options.cwd ?? "."),
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: true,
    Tty: false,
  };
}

/** Builds the request that unpacks uploaded files as root without any capability, so that the guest cannot change them. */
export function unpackBody() {
  const unpack = ["tar", "-x", "-f", "-", "-C", WORK, "--no-same-owner", "--no-same-permissions"];
  return rootExecBody(["/bin/sh", "-c", 'umask 022; exec "$@"', "sh", ...unpack]);
}

/** Builds the request for a program that the guest must not influence: it runs as root without any capability. */
export function rootExecBody(argv: readonly string[]) {
  return {
    Cmd: [...argv],
    User: "0:0",
    WorkingDir: WORK,
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: true,
    Tty: false,
  };
}

const NAMES = ["swarm", "purpose", "task", "attempt"] as const;

function writeLabels(labels: ContainerOrder["labels"], owner: string): Record<string, string> {
  const written: Record<string, string> = { [`${LABEL}owner`]: owner };
  for (const name of NAMES) if (labels[name] !== undefined) written[LABEL + name] = labels[name];
  return written;
}

/** Returns the label filter for the sandboxes of a swarm; with null for those of all swarms. */
export function filterOf(swarm: string | null): string {
  return swarm === null ? `${LABEL}owner` : `${LABEL}swarm=${swarm}`;
}

/** Reads the labels that `writeLabels` wrote. */
export function readLabels(written: Record<string, string>): {
  labels: SandboxInfo["labels"];
  owner: string;
} {
  const of = (name: string) => written[LABEL + name];
  return {
    labels: toLabels(Object.fromEntries(NAMES.map((name) => [name, of(name)]))),
    owner: of("owner") ?? "",
  };
}
