import { existsSync, lstatSync, readlinkSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Mount } from "../sandbox.ts";
import { runToEnd } from "../run-to-end.ts";
import { startProcess } from "./start-process.ts";
import type { Toolchain } from "./toolchain.ts";

/** Paths of the work folder and the tools inside the sandbox. */
export const WORK = "/work";
const TOOLS = "/opt/swarm";
const USER = { uid: "1000", gid: "1000" };

const TRIAL_TIMEOUT_MS = 10_000;
const PAGE_BYTES = 4_096;
const SMALL_FOLDER_BYTES = 256 * 1024 ** 2;

/** The folders inside that are memory, with the size limit of each, which is a whole number of pages. */
export function memoryFolders(memoryBytes: number): ReadonlyMap<string, number> {
  const pages = (bytes: number) => Math.ceil(bytes / PAGE_BYTES) * PAGE_BYTES;
  const small = pages(Math.min(memoryBytes, SMALL_FOLDER_BYTES));
  return new Map([
    ["/tmp", pages(memoryBytes)],
    ["/run", small],
    ["/dev/shm", small],
  ]);
}

/** Writes a minimal /etc, with which programs look up the user and localhost. It shows nothing of the host's /etc. */
export async function writeEtc(dir: string): Promise<string> {
  await mkdir(dir, { recursive: true });
  await writeFile(join(dir, "passwd"), `agent:x:${USER.uid}:${USER.gid}:agent:/tmp/home:/bin/sh\n`);
  await writeFile(join(dir, "group"), `agent:x:${USER.gid}:\n`);
  await writeFile(join(dir, "hosts"), "127.0.0.1 localhost\n::1 localhost\n");
  await writeFile(join(dir, "nsswitch.conf"), "passwd: files\ngroup: files\nhosts: files\n");
  return dir;
}

/** Binds the programs and libraries of the host, read-only. */
function hostBinds(): string[] {
  const binds = ["--ro-bind", "/usr", "/usr"];
  for (const path of ["/bin", "/sbin", "/lib", "/lib64", "/lib32"]) {
    if (!existsSync(path)) continue;
    if (lstatSync(path).isSymbolicLink()) binds.push("--symlink", readlinkSync(path), path);
    else binds.push("--ro-bind", path, path);
  }
  return binds;
}

export interface BubblewrapSandbox {
  /** The folder of the host that is /work inside. */
  readonly work: string;
  readonly etc: string;
  readonly mounts: readonly Mount[];
  readonly toolchain: Toolchain;
  /** The limit of memory, which is also that of the folders that are memory. */
  readonly memoryBytes: number;
}

/**
 * Returns the options of bubblewrap: no network, no processes from outside, no capabilities, an empty
 * environment.
 */
export function bubblewrapArgs(
  box: BubblewrapSandbox,
  options: { cwd: string; env: Record<string, string> },
): string[] {
  const args = [
    "--unshare-user",
    "--unshare-pid",
    "--unshare-net",
    "--unshare-ipc",
    "--unshare-uts",
    "--unshare-cgroup-try",
    "--disable-userns",
    "--uid",
    USER.uid,
    "--gid",
    USER.gid,
    "--hostname",
    "sandbox",
    "--die-with-parent",
    "--new-session",
    "--cap-drop",
    "ALL",
    "--clearenv",
    ...hostBinds(),
    "--proc",
    "/proc",
    "--dev",
    "/dev",
    ...[...memoryFolders(box.memoryBytes)].flatMap(([at, size]) => ["--size", String(size), "--tmpfs", at]),
    // Else /dev would be a file system in memory that has no size limit.
    "--remount-ro",
    "/dev",
    "--dir",
    "/tmp/home",
    "--ro-bind",
    box.etc,
    "/etc",
    "--bind",
    box.work,
    WORK,
  ];
  for (const tool of box.toolchain.tools) args.push("--ro-bind", tool.path, `${TOOLS}/bin/${tool.name}`);
  if (box.toolchain.npmDir !== null) {
    args.push("--ro-bind", box.toolchain.npmDir, `${TOOLS}/lib/node_modules/npm`);
    args.push("--symlink", "../lib/node_modules/npm/bin/npm-cli.js", `${TOOLS}/bin/npm`);
  }
  for (const mount of box.mounts) args.push("--ro-bind", mount.from, join(WORK, mount.at));
  const path = [`${TOOLS}/bin`, `${WORK}/node_modules/.bin`, "/usr/local/bin", "/usr/bin", "/bin"].join(":");
  const env = { PATH: path, HOME: "/tmp/home", LANG: "C.UTF-8", TMPDIR: "/tmp", ...options.env };
  for (const [name, value] of Object.entries(env)) args.push("--setenv", name, value);
  // The root is a tmpfs, which would be writable. And where the host's user is root, the kernel would let the guest
  // write to its settings under /proc/sys.
  return [...args, "--remount-ro", "/", "--remount-ro", "/proc", "--chdir", options.cwd];
}

/**
 * Returns how to start a program with these options and this filter. The options are read from a descriptor, because the
 * command line of bubblewrap is visible inside and they name folders of the host.
 */
export function bubblewrapCommand(
  bwrap: string,
  options: readonly string[],
  filter: Buffer | null,
): { argv: string[]; inputs: Buffer[] } {
  const inputs: Buffer[] = [Buffer.from(options.map((option) => `${option}\0`).join(""))];
  const argv = [bwrap, "--args", "3"];
  if (filter !== null) {
    argv.push("--seccomp", "4");
    inputs.push(filter);
  }
  return { argv: [...argv, "--"], inputs };
}

/** Starts a program with bubblewrap; returns null when that works, else the error. */
export async function tryBubblewrap(
  bwrap: string,
  box: BubblewrapSandbox,
  filter: Buffer | null,
): Promise<string | null> {
  const { argv, inputs } = bubblewrapCommand(bwrap, bubblewrapArgs(box, { cwd: WORK, env: {} }), filter);
  const child = startProcess({
    argv: [...argv, "/bin/sh", "-c", "test -w /work && ! test -w /usr"],
    inputs,
    cwd: "/",
    env: {},
    cgroups: [],
    timeoutMs: TRIAL_TIMEOUT_MS,
  });
  const { exitCode, timedOut, outputTail } = await runToEnd(child);
  if (timedOut) return `no answer within ${TRIAL_TIMEOUT_MS} ms`;
  return exitCode === 0 ? null : outputTail.trim() || `exit ${exitCode}`;
}
