import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fail, ok, warn, type Finding } from "./finding.ts";

const OLDEST_GIT = [2, 39] as const;
const OLDEST_NODE = [22, 22] as const;

type Version = readonly [number, number];

function atLeast(version: Version, oldest: Version): boolean {
  return version[0] > oldest[0] || (version[0] === oldest[0] && version[1] >= oldest[1]);
}

/** The first two numbers of a version text, or null. */
export function versionOf(text: string): Version | null {
  const found = /(\d+)\.(\d+)/.exec(text);
  return found === null ? null : [Number(found[1]), Number(found[2])];
}

export function examineNode(): Finding {
  const version = versionOf(process.versions.node);
  const name = "Node";
  if (version !== null && atLeast(version, OLDEST_NODE)) return ok(name, process.versions.node);
  return fail(
    name,
    `${process.versions.node} is too old`,
    "npm ci brings Node 24 with it; run npm start once",
  );
}

export function examineGit(): Finding {
  const name = "git";
  const { stdout, error } = spawnSync("git", ["--version"], { encoding: "utf8" });
  const version = error === undefined ? versionOf(stdout) : null;
  if (version === null) return fail(name, "not found", "install git 2.39 or newer");
  if (!atLeast(version, OLDEST_GIT)) return fail(name, stdout.trim(), "git 2.39 or newer is needed");
  return ok(name, stdout.trim());
}

/** Programs that agents search with; without them their grep and find tools do not work. */
export function examineSearchTools(tools: string | undefined): Finding[] {
  const dirs = [...(process.env["PATH"] ?? "").split(delimiter), ...(tools ? [join(tools, "bin")] : [])];
  const find = (names: string[]) =>
    dirs.flatMap((dir) => names.map((name) => join(dir, name))).find((path) => existsSync(path));
  return [
    { name: "ripgrep", names: ["rg"], install: "apt-get install ripgrep" },
    { name: "fd", names: ["fd", "fdfind"], install: "apt-get install fd-find" },
  ].map(({ name, names, install }) => {
    const path = find(names);
    return path === undefined
      ? warn(name, "not found: agents cannot search with it", install)
      : ok(name, path);
  });
}
