import { execFile } from "node:child_process";
import { accessSync, constants, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { basename, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { CGROUP_ROOT } from "../cgroup-figures.ts";

/** Where the kernel tells of control groups; tests have folders of their own. */
export interface CgroupPlaces {
  readonly root: string;
  /** /proc/self/cgroup. */
  readonly self: string;
  /** Users whose services live on after they logged out have a file here. */
  readonly linger: string;
}

const PLACES: CgroupPlaces = {
  root: CGROUP_ROOT,
  self: "/proc/self/cgroup",
  linger: "/var/lib/systemd/linger",
};

/** A group that has groups below it must have no processes of its own, so this process moves into a leaf. */
const LEAF = "services";
const CONTROLLERS = ["memory", "pids", "cpu"] as const;
const MOVE_TIMEOUT_MS = 2_000;
const MOVE_POLL_MS = 20;

/**
 * Returns the folder of the control group that systemd has delegated to this process, with the controllers that limit a
 * sandbox enabled for the groups below it; null when there is none. For an ordinary user it asks the user's systemd for a
 * scope, but only where that scope outlives the user's login as this process does.
 */
export async function findDelegatedGroup(places = PLACES, ask = askForScope): Promise<string | null> {
  if (!existsSync(join(places.root, "cgroup.controllers"))) return null;
  const now = takeOver(places);
  if (now !== null || !livesOn(places) || !(await ask(process.pid))) return now;
  const until = performance.now() + MOVE_TIMEOUT_MS;
  while (performance.now() < until) {
    const moved = takeOver(places);
    if (moved !== null) return moved;
    await sleep(MOVE_POLL_MS);
  }
  return null;
}

/** The path of this process's group in version 2, such as /user.slice/user-1000.slice/session-1.scope. */
function ownPath(places: CgroupPlaces): string {
  return /^0::(\/.*)$/m.exec(readFileSync(places.self, "utf8"))?.[1] ?? "/";
}

/** A unit of the system that a user owns, or a scope that was asked for here. Other units may not be divided. */
function isDelegated(path: string): boolean {
  const unit = basename(path);
  return /^agentswarm-\d+\.scope$/.test(unit) || (unit.endsWith(".service") && !path.includes("/user@"));
}

function takeOver(places: CgroupPlaces): string | null {
  const own = ownPath(places);
  const path = basename(own) === LEAF ? dirname(own) : own;
  if (!isDelegated(path)) return null;
  const dir = join(places.root, path);
  try {
    for (const file of ["cgroup.procs", "cgroup.subtree_control"])
      accessSync(join(dir, file), constants.W_OK);
    mkdirSync(join(dir, LEAF), { recursive: true });
    for (const pid of readFileSync(join(dir, "cgroup.procs"), "utf8").split("\n").filter(Boolean))
      writeFileSync(join(dir, LEAF, "cgroup.procs"), pid);
  } catch {
    return null;
  }
  for (const controller of CONTROLLERS) {
    try {
      writeFileSync(join(dir, "cgroup.subtree_control"), `+${controller}`);
    } catch {
      // It was not delegated. What is enabled is read afterwards.
    }
  }
  return dir;
}

/** Whether a scope of the user's systemd lives as long as this process would without one. */
function livesOn(places: CgroupPlaces): boolean {
  if (process.getuid?.() === 0) return false;
  if (ownPath(places).includes("/user@")) return true;
  const user = userName();
  return user !== null && existsSync(join(places.linger, user));
}

/** Null for a user id without an account. */
function userName(): string | null {
  try {
    return userInfo().username;
  } catch {
    return null;
  }
}

/** Asks the user's systemd for a delegated scope around a process, as `systemd-run --user --scope` does. */
async function askForScope(pid: number): Promise<boolean> {
  const properties = ["PIDs", "au", "1", String(pid), "Delegate", "b", "true"];
  const args = ["--user", "--quiet", "call", "org.freedesktop.systemd1", "/org/freedesktop/systemd1"];
  args.push("org.freedesktop.systemd1.Manager", "StartTransientUnit", "ssa(sv)a(sa(sv))");
  args.push(`agentswarm-${pid}.scope`, "fail", "2", ...properties, "0");
  return new Promise((resolve) => {
    execFile("busctl", args, { timeout: MOVE_TIMEOUT_MS }, (error) => resolve(error === null));
  });
}
