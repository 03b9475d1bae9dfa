import type { Readable, Writable } from "node:stream";

/** What a sandbox is for; lets leftovers be found and told apart. */
export interface SandboxLabels {
  readonly swarm: string;
  readonly purpose: string;
  readonly task?: string;
  readonly attempt?: string;
}

/** A file or folder of the host that is seen inside, read-only, at a path relative to the work folder. */
export interface Mount {
  readonly from: string;
  readonly at: string;
  /**
   * Names content that is the same wherever it is used under this name (letters, digits, dashes), so that a provider
   * that cannot bind the host's folders carries it in once and not for every sandbox.
   */
  readonly key?: string;
}

/** Hard bounds; those a machine cannot enforce are listed in `SandboxProvider.unenforced`. */
export interface SandboxLimits {
  readonly memoryBytes: number;
  readonly pids: number;
  /** Cores, fractions allowed. */
  readonly cpus: number;
  /** Everything inside is killed after this. */
  readonly wallMs: number;
}

export const DEFAULT_SANDBOX_LIMITS: SandboxLimits = {
  memoryBytes: 4 * 1024 ** 3,
  pids: 512,
  cpus: 2,
  wallMs: 1_800_000,
};

export interface SandboxSpec {
  readonly labels: SandboxLabels;
  readonly mounts?: readonly Mount[];
  readonly limits?: Partial<SandboxLimits>;
}

export interface ExecOptions {
  /** Relative to the work folder. */
  readonly cwd?: string;
  /** The environment is built from empty; only these are added to PATH, HOME and the like. */
  readonly env?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: string | null;
  readonly timedOut: boolean;
}

export interface SandboxProcess {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  readonly exit: Promise<Exit>;
  /** Kills it with all it has started. */
  kill(): void;
}

export interface RunResult {
  /** -1 when it was killed. */
  readonly exitCode: number;
  readonly timedOut: boolean;
  /** The last 8,000 characters of stdout and stderr together. */
  readonly outputTail: string;
  readonly durationMs: number;
}

/** What a sandbox took, told alike by every provider. */
export interface SandboxFigures {
  /** From being asked for to being ready for a program. */
  readonly readyMs: number;
  /** Null where the provider cannot tell. */
  readonly cpuMs: number | null;
  readonly memoryPeakBytes: number | null;
  /** Through the streams of its programs. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** What the provider will ask for it, estimated from its price list; 0 for one's own machine. */
  readonly costUsd: number;
}

/** An isolated place with a work folder, no network and no credentials. */
export interface Sandbox {
  readonly id: string;
  /** The work folder's path as seen inside. */
  readonly workDir: string;
  /** Starts a program; its streams are the only way in and out. */
  exec(argv: readonly string[], options?: ExecOptions): SandboxProcess;
  /** Runs a program to its end, keeping only the end of its output. */
  run(argv: readonly string[], options?: ExecOptions): Promise<RunResult>;
  /** Writes its labels anew: what it was opened ahead for is known only now. Not every provider can. */
  label?(labels: SandboxLabels): Promise<void>;
  /** What it has taken so far; after its end, in all. */
  figures(): Promise<SandboxFigures>;
  /** Kills everything inside and removes it. May be called twice. */
  terminate(): Promise<void>;
}

export interface SandboxInfo {
  readonly id: string;
  readonly labels: SandboxLabels;
  /** Whether the process that opened it is gone. */
  readonly orphaned: boolean;
}

/** Makes sandboxes. One contract suite holds for every provider. */
export interface SandboxProvider {
  readonly name: string;
  readonly isolation: "bubblewrap" | "docker" | "modal" | "none";
  /** Whether an open sandbox in which nothing runs costs money, so that none is to be kept waiting by default. */
  readonly chargesWhileIdle: boolean;
  /** Limits this machine cannot enforce. */
  readonly unenforced: readonly (keyof SandboxLimits)[];
  open(spec: SandboxSpec): Promise<Sandbox>;
  list(): Promise<SandboxInfo[]>;
  /** Ends a sandbox by its id, whoever opened it. */
  terminate(id: string): Promise<void>;
}
