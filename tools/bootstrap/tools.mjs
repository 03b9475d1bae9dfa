// Finds the few programs that npm does not provide. On Debian and its derivatives missing ones are unpacked under
// SWARM_HOME/tools, so that nothing is installed system-wide. Plain JavaScript for Node 18 and newer.
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { delimiter, join } from "node:path";

/**
 * Each tool: its names on PATH, the Debian packages that contain it and its libraries, and the path of its binary in
 * them.
 */
const TOOLS = {
  "redis-server": {
    names: ["redis-server", "valkey-server"],
    packages: ["redis-server", "redis-tools", "libjemalloc2", "liblzf1", "libatomic1"],
    binary: "usr/bin/redis-server",
    needsLibraries: true,
    install: "apt-get install redis-server, or brew install redis, or set REDIS_URL",
  },
  bwrap: {
    names: ["bwrap"],
    packages: ["bubblewrap"],
    binary: "usr/bin/bwrap",
    needsLibraries: true,
    install: "apt-get install bubblewrap",
    platform: "linux",
  },
  rg: { names: ["rg"], packages: ["ripgrep"], binary: "usr/bin/rg", install: "apt-get install ripgrep" },
  fd: {
    names: ["fd", "fdfind"],
    packages: ["fd-find"],
    binary: "usr/lib/cargo/bin/fd",
    install: "apt-get install fd-find",
  },
};

/**
 * The first of `names` found on PATH, or null. It repeats a function of packages/sandbox, which cannot be imported
 * before the packages are installed.
 */
export function findOnPath(names, path = process.env.PATH ?? "") {
  for (const name of names) {
    for (const dir of path.split(delimiter)) {
      if (dir !== "" && existsSync(join(dir, name))) return join(dir, name);
    }
  }
  return null;
}

function isDebian() {
  return (
    process.platform === "linux" && existsSync("/etc/debian_version") && findOnPath(["apt-get"]) !== null
  );
}

/** Runs apt with all its state in `dir`, so that neither root nor the system's package lists are needed. */
function apt(dir, args) {
  const state = join(dir, "apt");
  for (const part of ["lists/partial", "cache/archives/partial"])
    mkdirSync(join(state, part), { recursive: true });
  const options = [
    `Dir::State::lists=${join(state, "lists")}`,
    `Dir::Cache=${join(state, "cache")}`,
    "APT::Sandbox::User=",
    "Debug::NoLocking=1",
  ].flatMap((option) => ["-o", option]);
  return spawnSync("apt-get", ["-qq", ...options, ...args], { cwd: join(dir, "download"), encoding: "utf8" });
}

function unpackDebian(tools, name) {
  const { packages, binary } = TOOLS[name];
  const root = join(tools, "root");
  const download = join(tools, "download");
  mkdirSync(download, { recursive: true });
  mkdirSync(root, { recursive: true });
  let fetched = apt(tools, ["download", ...packages]);
  if (fetched.status !== 0) {
    apt(tools, ["update"]);
    fetched = apt(tools, ["download", ...packages]);
  }
  if (fetched.status !== 0) return false;
  for (const file of readdirSync(download).filter((entry) => entry.endsWith(".deb"))) {
    const unpacked = spawnSync("dpkg", ["-x", join(download, file), root]);
    rmSync(join(download, file), { force: true });
    if (unpacked.status !== 0) return false;
  }
  publish(tools, name, join(root, binary));
  return true;
}

/**
 * Puts the unpacked program into tools/bin: unchanged where the system's own libraries suffice (so that it can be
 * mounted into a sandbox), otherwise as a script that names the libraries unpacked with it.
 */
function publish(tools, name, target) {
  mkdirSync(join(tools, "bin"), { recursive: true });
  const file = join(tools, "bin", name);
  const fresh = `${file}.${process.pid}`;
  if (TOOLS[name].needsLibraries) {
    const triples = ["x86_64-linux-gnu", "aarch64-linux-gnu"];
    const libraries = triples.map((triple) => join(tools, "root/usr/lib", triple)).join(":");
    const script = ["#!/bin/sh", `export LD_LIBRARY_PATH="${libraries}"`, `exec "${target}" "$@"`, ""];
    writeFileSync(fresh, script.join("\n"));
  } else {
    copyFileSync(target, fresh);
  }
  chmodSync(fresh, 0o755);
  renameSync(fresh, file);
}

/** The names of tools that `ensureTools` would unpack. */
export function unpackable(missing) {
  return isDebian() ? missing.map(({ name }) => name) : [];
}

/**
 * Finds each tool, and unpacks missing ones where that is possible.
 * Returns `{found: {name: path}, missing: [{name, install}]}`.
 */
export function ensureTools(home, wanted = Object.keys(TOOLS), { fetch = true, say = () => {} } = {}) {
  const tools = join(home, "tools");
  const found = {};
  const missing = [];
  for (const name of wanted) {
    const tool = TOOLS[name];
    if (tool.platform !== undefined && tool.platform !== process.platform) continue;
    const unpacked = join(tools, "bin", name);
    const path = findOnPath(tool.names) ?? (existsSync(unpacked) ? unpacked : null);
    if (path !== null) {
      found[name] = path;
      continue;
    }
    if (fetch && isDebian()) {
      say(`Unpacking ${name} under ${tools} …`);
      if (unpackDebian(tools, name)) {
        found[name] = unpacked;
        continue;
      }
    }
    missing.push({ name, install: tool.install });
  }
  return { found, missing, tools };
}

/** Reads SWARM_HOME from the environment or .env, before the settings are parsed. */
export function swarmHome(root) {
  if (process.env.SWARM_HOME) return process.env.SWARM_HOME;
  const file = join(root, ".env");
  const line = existsSync(file) ? /^SWARM_HOME=(.+)$/m.exec(readFileSync(file, "utf8")) : null;
  return line ? line[1].trim() : join(root, ".swarm");
}
