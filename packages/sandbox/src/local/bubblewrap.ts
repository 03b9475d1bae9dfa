import { spawnSync } from "node:child_process";
import { existsSync, lstatSync, readlinkSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Mount } from "../sandbox.ts";
import type { Toolchain } from "./toolchain.ts";

/** The work folder and the tools as seen inside. */
export const WORK = "/work";
const TOOLS = "/opt/swarm";
const USER = { uid: "1000", gid: "1000" };

/** A minimal /etc: programs look up the user and localhost, and nothing of the host's is told. */
export async function writeEtc(dir: string): Promise<string> {
  await mkdir(dir, { recursive: true });
  await writeFile(join(dir, "passwd"), `agent:x:${USER.uid}:${USER.gid}:agent:/tmp/home:/bin/sh\n`);
  await writeFile(join(dir, "group"), `agent:x:${USER.gid}:\n`);
  await writeFile(join(dir, "hosts"), "127.0.0.1 localhost\n::1 localhost\n");
  await writeFile(join(dir, "nsswitch.conf"), "passwd: files\ngroup: files\nhosts: files\n");
  return dir;
}

/** What every sandbox sees of the host: programs and libraries, read-only. */
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
  /** The host folder that is seen as /work. */
  readonly work: string;
  readonly etc: string;
  readonly mounts: readonly Mount[];
  readonly toolchain: Toolchain;
}

/** bubblewrap's arguments up to the command: no network, no foreign processes, no capabilities, an empty environment. */
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
    "--tmpfs",
    "/tmp",
    "--tmpfs",
    "/run",
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
  // The root itself is a tmpfs that could be written to; and where the host's user is root, the kernel takes the
  // guest for the owner of its knobs under /proc/sys.
  return [...args, "--remount-ro", "/", "--remount-ro", "/proc", "--chdir", options.cwd, "--"];
}

/** Whether bubblewrap works here, by really starting something; null when it does, else why not. */
export function tryBubblewrap(bwrap: string, box: BubblewrapSandbox): string | null {
  const args = [
    ...bubblewrapArgs(box, { cwd: WORK, env: {} }),
    "/bin/sh",
    "-c",
    "test -w /work && ! test -w /usr",
  ];
  const { status, stderr, error } = spawnSync(bwrap, args, {
    encoding: "utf8",
    timeout: 10_000,
    stdio: ["ignore", "pipe", "pipe"],
  });
  if (error !== undefined) return error.message;
  return status === 0 ? null : stderr.trim() || `exit ${status}`;
}
