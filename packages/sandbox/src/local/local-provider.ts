import { randomUUID } from "node:crypto";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Fault } from "@agentswarm/contracts";
import {
  DEFAULT_SANDBOX_LIMITS,
  type Safeguard,
  type Sandbox,
  type SandboxLimits,
  type SandboxProvider,
} from "../sandbox.ts";
import { tryBubblewrap, writeEtc } from "./bubblewrap.ts";
import { findControlGroups, type ControlGroups } from "./cgroup.ts";
import { openAffinity } from "./limits/affinity.ts";
import { canMeasure, openLimitWatcher } from "./limits/watch-limits.ts";
import { groupOf, openLocalSandbox, type LocalHost } from "./local-sandbox.ts";
import { readRecords, removeRecorded } from "./sandbox-record.ts";
import { buildFilter, filterMachine } from "../seccomp/profile.ts";
import { findBubblewrap, findTaskset, findToolchain } from "./toolchain.ts";

export interface LocalProviderOptions {
  /** SWARM_HOME; the folders of the sandboxes are in its `sandboxes` folder. */
  readonly home: string;
  /** Folder with a `bin` of unpacked tools. */
  readonly tools?: string | undefined;
  readonly swarm: string;
  readonly allowUnisolated: boolean;
  /** The default limit of what the work folder of a sandbox takes on the disk. */
  readonly diskBytes?: number | undefined;
  /** For the contract suite: does not use bubblewrap even where it works. */
  readonly withoutBubblewrap?: boolean;
}

/**
 * Opens the provider of sandboxes on this machine, isolated by bubblewrap. bubblewrap is used only if a trial run works.
 * Otherwise programs run without isolation if `allowUnisolated` is set; without it Fault `sandbox.unavailable` says what
 * to do.
 */
export async function openLocalProvider(options: LocalProviderOptions): Promise<SandboxProvider> {
  const root = join(options.home, "sandboxes");
  await mkdir(root, { recursive: true });
  const toolchain = findToolchain(options.tools);
  const etc = await writeEtc(join(options.home, "sandbox-etc"));
  const cgroups = await findControlGroups();
  const missing = (limit: keyof SandboxLimits) => cgroups.unenforced.includes(limit);
  const measuresProcesses = (missing("memoryBytes") || missing("pids")) && canMeasure();
  const taskset = missing("cpus") ? findTaskset() : null;
  const machine = filterMachine();
  const needs = { measuredMemory: measuresProcesses, fixedAffinity: missing("cpus") };
  const filter = machine === null ? null : buildFilter(machine, needs);
  const trial = options.withoutBubblewrap
    ? { error: "withoutBubblewrap is set" }
    : await findWorking(options, etc);
  if ("error" in trial && !options.allowUnisolated) {
    throw new Fault(
      "sandbox.unavailable",
      `SANDBOX_PROVIDER=local needs bubblewrap (${trial.error}): apt-get install bubblewrap and allow user namespaces, or set ALLOW_UNISOLATED=true to run agents with your own rights`,
    );
  }
  const bwrap = "bwrap" in trial ? trial.bwrap : null;
  const chooseProcessors = openAffinity();
  const pinTo = (cpus: number) => {
    const processors = bwrap === null || taskset === null || filter === null ? null : chooseProcessors(cpus);
    return processors === null || taskset === null ? [] : [taskset, "-c", processors];
  };
  const diskBytes = options.diskBytes ?? DEFAULT_SANDBOX_LIMITS.diskBytes;
  const watcher = openLimitWatcher();
  const host: LocalHost = {
    bwrap,
    etc,
    toolchain,
    cgroups,
    filter,
    watcher,
    measuresProcesses,
    pinTo,
    diskBytes,
  };
  const opened = new Map<string, Sandbox>();

  return {
    name: "local",
    isolation: bwrap === null ? "none" : "bubblewrap",
    chargesWhileIdle: false,
    unenforced: findUnenforced({ cgroups, isolated: bwrap !== null, measuresProcesses, filter, taskset }),
    async open(spec) {
      const id = `${options.swarm}-${randomUUID().slice(0, 13)}`;
      const sandbox = await openLocalSandbox(host, root, id, spec);
      opened.set(id, sandbox);
      return { ...sandbox, terminate: () => sandbox.terminate().finally(() => opened.delete(id)) };
    },
    async list() {
      return readRecords(root).filter((info) => info.labels.swarm === options.swarm);
    },
    async terminate(id) {
      const own = opened.get(id);
      if (own !== undefined) return own.terminate();
      // Isolated processes died with their owner; processes without isolation may still run in its control group.
      await cgroups.remove(groupOf(id));
      await removeRecorded(root, id);
    },
  };

  async function findWorking(
    { tools }: LocalProviderOptions,
    dir: string,
  ): Promise<{ bwrap: string } | { error: string }> {
    const found = findBubblewrap(tools);
    if (found === null) return { error: "bwrap was not found" };
    const work = await mkdtemp(join(tmpdir(), "swarm-trial-"));
    const { memoryBytes } = DEFAULT_SANDBOX_LIMITS;
    const error = await tryBubblewrap(found, { work, etc: dir, mounts: [], toolchain, memoryBytes }, filter);
    await rm(work, { recursive: true, force: true });
    return error === null ? { bwrap: found } : { error };
  }
}

interface Means {
  readonly cgroups: ControlGroups;
  readonly isolated: boolean;
  readonly measuresProcesses: boolean;
  readonly filter: Buffer | null;
  readonly taskset: string | null;
}

/**
 * Decides what does not hold here. A program without isolation leaves the tree of processes that is measured, and the
 * work folder. Without control groups the processors are set by an affinity that the filter keeps.
 */
function findUnenforced({ cgroups, isolated, measuresProcesses, filter, taskset }: Means): Safeguard[] {
  if (!isolated) return [...cgroups.unenforced, "diskBytes", "seccomp"];
  const held = new Set<Safeguard>(measuresProcesses ? ["memoryBytes", "pids"] : []);
  if (filter !== null && taskset !== null) held.add("cpus");
  const open: Safeguard[] = cgroups.unenforced.filter((limit) => !held.has(limit));
  return filter === null ? [...open, "seccomp"] : open;
}
