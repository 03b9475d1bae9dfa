// Plain JavaScript for Node 18 and newer: this runs before anything is installed.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../../", import.meta.url));

const MINIMUM_NODE = 18;

/** Exits with a message that says how to fix the problem. */
export function giveUp(message) {
  process.stderr.write(`\n${message}\n`);
  process.exit(1);
}

function lockHash() {
  return createHash("sha256")
    .update(readFileSync(join(ROOT, "package-lock.json")))
    .digest("hex");
}

/** Runs `npm ci` when node_modules does not match the lockfile. The stamp is written only after success. */
export function ensureInstalled() {
  const major = Number(process.versions.node.split(".")[0]);
  if (major < MINIMUM_NODE) {
    giveUp(
      `Node ${process.versions.node} is too old to set up AgentSwarm: install Node ${MINIMUM_NODE} or newer.`,
    );
  }
  const stamp = join(ROOT, "node_modules", ".swarm-lockfile");
  const wanted = lockHash();
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return;

  process.stderr.write("Installing dependencies (npm ci) …\n");
  // Install scripts stay off: the project needs none.
  const npm = process.platform === "win32" ? "npm.cmd" : "npm";
  const done = spawnSync(npm, ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: ROOT,
    stdio: ["ignore", 2, 2],
    env: { ...process.env, npm_config_production: "", NODE_ENV: "" },
  });
  if (done.status !== 0) {
    giveUp("npm ci failed. Its message is above; fix it and run the same command again.");
  }
  writeFileSync(stamp, wanted);
}

/** Node's argument for the settings in `.env`; none without the file, because Node would warn about it. */
export function settingsArgs() {
  const file = join(ROOT, ".env");
  return existsSync(file) ? [`--env-file=${file}`] : [];
}

/** The Node of the lockfile; the running Node where the lockfile has none for the platform and it is new enough. */
export function localNode() {
  const binary = join(ROOT, "node_modules", ".bin", process.platform === "win32" ? "node.cmd" : "node");
  if (existsSync(binary)) return binary;
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major > 22 || (major === 22 && minor >= 22)) return process.execPath;
  return giveUp(
    `No Node binary was installed for ${process.platform}-${process.arch}, and Node ${process.versions.node} is too old: install Node 24.`,
  );
}
