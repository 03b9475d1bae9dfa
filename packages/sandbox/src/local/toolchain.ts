import { existsSync, realpathSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";

/** A program that is visible inside under a fixed name. */
export interface Tool {
  readonly name: string;
  readonly path: string;
}

export interface Toolchain {
  readonly tools: readonly Tool[];
  /** The folder of npm; null where there is none. */
  readonly npmDir: string | null;
}

function find(names: readonly string[], tools: string | undefined): string | null {
  const dirs = [...(process.env["PATH"] ?? "").split(delimiter), ...(tools ? [join(tools, "bin")] : [])];
  for (const name of names) {
    for (const dir of dirs) {
      if (dir !== "" && existsSync(join(dir, name))) return join(dir, name);
    }
  }
  return null;
}

/** Finds the programs for agents and checks: this process's Node, git, ripgrep, fd, and npm where the host has them. */
export function findToolchain(tools?: string): Toolchain {
  const found: Tool[] = [{ name: "node", path: process.execPath }];
  for (const [name, names] of [
    ["git", ["git"]],
    ["rg", ["rg"]],
    ["fd", ["fd", "fdfind"]],
  ] as const) {
    const path = find(names, tools);
    if (path !== null) found.push({ name, path: realpathSync(path) });
  }
  const npm = find(["npm"], tools);
  const cli = npm === null ? null : realpathSync(npm);
  const npmDir = cli?.endsWith("bin/npm-cli.js") ? dirname(dirname(cli)) : null;
  return { tools: found, npmDir };
}

/** Returns the path of the program that sets the processors of another, or null. */
export function findTaskset(): string | null {
  return find(["taskset"], undefined);
}

/** Returns the path of bubblewrap, or null. */
export function findBubblewrap(tools?: string): string | null {
  return find(["bwrap"], tools);
}
