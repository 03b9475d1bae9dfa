// Plain JavaScript for Node 18 and newer: this runs before anything is installed.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
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

const LOCK = join(ROOT, ".install.lock");
const LOOK_AGAIN_MS = 200;
/** A lock older than this is taken over, whatever process took it. */
const LOCK_MS = 600_000;

/** Takes the lock of this folder's installation: of two `npm ci` at once each removes the files of the other. */
function lockInstallation() {
  for (let waits = 0; ; waits += 1) {
    try {
      return writeFileSync(LOCK, String(process.pid), { flag: "wx" });
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
    }
    if (isHeld()) {
      if (waits === 0) process.stderr.write("Another command installs the dependencies; waiting for it …\n");
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOOK_AGAIN_MS);
    } else rmSync(LOCK, { force: true });
  }
}

/** Whether the process that took the lock lives. */
function isHeld() {
  try {
    if (Date.now() - statSync(LOCK).mtimeMs > LOCK_MS) return false;
    const pid = Number(readFileSync(LOCK, "utf8"));
    // It is written a moment after it is made.
    return pid === 0 || process.kill(pid, 0);
  } catch (error) {
    // No such process. Other errors: the process is another user's, or the lock was released at this moment.
    return error.code !== "ESRCH";
  }
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
  const isInstalled = () => existsSync(stamp) && readFileSync(stamp, "utf8") === wanted;
  if (isInstalled()) return;
  lockInstallation();
  const installed = isInstalled() || install();
  if (installed) writeFileSync(stamp, wanted);
  rmSync(LOCK, { force: true });
  if (!installed) giveUp("npm ci failed. Its message is above; fix it and run the same command again.");
}

/** Whether `npm ci` succeeds. */
function install() {
  process.stderr.write("Installing dependencies (npm ci) …\n");
  // Install scripts stay off: the project needs none.
  const npm = process.platform === "win32" ? "npm.cmd" : "npm";
  const done = spawnSync(npm, ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: ROOT,
    stdio: ["ignore", 2, 2],
    env: { ...process.env, npm_config_production: "", NODE_ENV: "" },
  });
  return done.status === 0;
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
