import { spawnSync } from "node:child_process";
import { findToolchain } from "@agentswarm/sandbox";
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
  return fail(name, `${process.versions.node} is too old`, "npm ci installs Node 24; run npm start once");
}

export function examineGit(): Finding {
  const name = "git";
  const { stdout, error } = spawnSync("git", ["--version"], { encoding: "utf8" });
  const version = error === undefined ? versionOf(stdout) : null;
  if (version === null) return fail(name, "not found", "install git 2.39 or newer");
  if (!atLeast(version, OLDEST_GIT)) return fail(name, stdout.trim(), "git 2.39 or newer is needed");
  return ok(name, stdout.trim());
}

/** Examines the programs that the agents' grep and find tools need. */
export function examineSearchTools(unpacked: string | undefined, unpacks: ReadonlySet<string>): Finding[] {
  const { tools } = findToolchain(unpacked);
  return [
    { name: "ripgrep", program: "rg", install: "apt-get install ripgrep" },
    { name: "fd", program: "fd", install: "apt-get install fd-find" },
  ].map(({ name, program, install }) => {
    const tool = tools.find((one) => one.name === program);
    if (tool !== undefined) return ok(name, tool.path);
    if (unpacks.has(program)) return ok(name, "not here yet: npm start unpacks it");
    return warn(name, "not found: agents cannot search with it", install);
  });
}
