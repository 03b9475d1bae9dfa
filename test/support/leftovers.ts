import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { execFileSync } from "node:child_process";

/**
 * Processes that name `folder` in their command line or environment, or that see a part of it in a sandbox, this one
 * apart: what a run left behind. The command line of bubblewrap names no folder of the host.
 */
export async function processesOf(folder: string): Promise<string[]> {
  const found: string[] = [];
  for (const pid of await readdir("/proc")) {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) continue;
    const read = (name: string) => readFile(join("/proc", pid, name), "utf8").catch(() => "");
    const command = await read("cmdline");
    const mounts = command.includes("bwrap") ? await read("mountinfo") : "";
    if (`${command}\0${await read("environ")}\0${mounts}`.includes(folder))
      found.push(`${pid} ${command.replaceAll("\0", " ")}`);
  }
  return found;
}

/** Every file under a folder, as paths. */
export async function filesUnder(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

/** Files under `folder`, and objects of git repositories in it, that hold `secret`. */
export async function whereSecretIs(folder: string, secret: string): Promise<string[]> {
  const files = await filesUnder(folder);
  const found: string[] = [];
  for (const file of files) if ((await readFile(file)).includes(secret)) found.push(file);
  for (const dir of new Set(files.flatMap((file) => file.split("/objects/").slice(0, -1)))) {
    const args = ["--git-dir", dir, "cat-file", "--batch-all-objects", "--batch"];
    if (execFileSync("git", args, { maxBuffer: 1 << 28 }).includes(secret)) found.push(dir);
  }
  return found;
}
