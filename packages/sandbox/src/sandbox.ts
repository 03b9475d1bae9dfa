import type { Readable, Writable } from "node:stream";

/** The purpose of a sandbox. Leftover sandboxes are found by their labels. */
export interface SandboxLabels {
  readonly swarm: string;
  readonly purpose: string;
  readonly task?: string;
  readonly attempt?: string;
}

/** A file or folder of the host that is visible inside the sandbox, read-only, at a path relative to the work folder. */
export interface Mount {
  readonly from: string;
  readonly at: string;
  /**
   * Names the content (letters, digits, dashes): mounts with one key have the same content. A provider that cannot bind
   * the host's folders uploads such content once and not for every sandbox.
   */
  readonly key?: string;
}

/** Hard limits. The limits that a provider cannot enforce are listed in `SandboxProvider.unenforced`. */
export interface SandboxLimits {
  readonly memoryBytes: number;
  readonly pids: number;
  /** Cores, fractions allowed. */
  readonly cpus: number;
  /** Everything inside is killed after this many milliseconds. */
  readonly wallMs: number;
  /** What the files of the work folder take. */
  readonly diskBytes: number;
}

/** A limit, or the filter of system calls. */
export type Safeguard = keyof SandboxLimits | "seccomp";

export const DEFAULT_SANDBOX_LIMITS: SandboxLimits = {
  memoryBytes: 4 * 1024 ** 3,
  pids: 512,
  cpus: 2,
  wallMs: 1_800_000,
  diskBytes: 8 * 1024 ** 3,
};

export interface SandboxSpec {
  readonly labels: SandboxLabels;
  readonly mounts?: readonly Mount[];
  readonly limits?: Partial<SandboxLimits>;
}

export interface ExecOptions {
  /** Relative to the work folder. */
  readonly cwd?: string;
  /** Added to a minimal environment (PATH, HOME, LANG). No variable of this process is passed on. */
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
  /** Kills the program with everything it started. */
  kill(): void;
}

export interface RunResult {
  /** -1 when the program was killed. */
  readonly exitCode: number;
  readonly timedOut: boolean;
  /** The last 8,000 characters of stdout and stderr together. */
  readonly outputTail: string;
  readonly durationMs: number;
}

/** What a sandbox used; the same fields for every provider. */
export interface SandboxFigures {
  /** From the call of `open` until a program could start. */
  readonly readyMs: number;
  /** CPU time of all programs; null where the provider does not know it. */
  readonly cpuMs: number | null;
  readonly memoryPeakBytes: number | null;
  /** Bytes through the streams of its programs. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Estimate of the provider's charge in US dollars; 0 on one's own machine. */
  readonly costUsd: number;
}

/** An isolated environment with a work folder, without a network and without credentials. */
export interface Sandbox {
  readonly id: string;
  /** The work folder's path as seen inside. */
  readonly workDir: string;
  /** Starts a program; its streams are the only connection to it. */
  exec(argv: readonly string[], options?: ExecOptions): SandboxProcess;
  /** Runs a program until it exits, and keeps the end of its output. */
  run(argv: readonly string[], options?: ExecOptions): Promise<RunResult>;
  /** Replaces its labels, for a sandbox that was opened before its task was known. Not every provider can. */
  label?(labels: SandboxLabels): Promise<void>;
  /** Reads the figures of its use so far, or after its end those of its whole life. */
  figures(): Promise<SandboxFigures>;
  /**
   * The limit whose overrun ended the sandbox or a program in it; null while none did. Not every provider knows it. It
   * stays known after `terminate`.
   */
  reached?(): keyof SandboxLimits | null;
  /** Kills everything inside and removes it. May be called twice. */
  terminate(): Promise<void>;
}

export interface SandboxInfo {
  readonly id: string;
  readonly labels: SandboxLabels;
  /** Whether the process that opened it is gone, so that it is to be terminated. */
  readonly orphaned: boolean;
}

/** Opens sandboxes. Every provider passes one contract suite, `testing/provider-suite.ts`. */
export interface SandboxProvider {
  readonly name: string;
  readonly isolation: "bubblewrap" | "docker" | "modal" | "none";
  /** Whether an open sandbox costs money while nothing runs in it. If so, none is kept waiting by default. */
  readonly chargesWhileIdle: boolean;
  /** Limits that this provider cannot enforce here, and `seccomp` where system calls are not filtered. */
  readonly unenforced: readonly Safeguard[];
  open(spec: SandboxSpec): Promise<Sandbox>;
  list(): Promise<SandboxInfo[]>;
  /** Terminates a sandbox by its id, whichever process opened it. */
  terminate(id: string): Promise<void>;
}
