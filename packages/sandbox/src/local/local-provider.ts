import { randomUUID } from "node:crypto";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Fault } from "@agentswarm/contracts";
import type { Sandbox, SandboxProvider } from "../sandbox.ts";
import { tryBubblewrap, writeEtc } from "./bubblewrap.ts";
import { findControlGroups } from "./cgroup.ts";
import { groupOf, openLocalSandbox, type LocalHost } from "./local-sandbox.ts";
import { readRecords, removeRecorded } from "./sandbox-record.ts";
import { findBubblewrap, findToolchain } from "./toolchain.ts";

export interface LocalProviderOptions {
  /** SWARM_HOME; the folders of the sandboxes are in its `sandboxes` folder. */
  readonly home: string;
  /** Folder with a `bin` of unpacked tools. */
  readonly tools?: string | undefined;
  readonly swarm: string;
  readonly allowUnisolated: boolean;
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
  const cgroups = findControlGroups();
  const host: LocalHost = { bwrap, etc, toolchain, cgroups };
  const opened = new Map<string, Sandbox>();

  return {
    name: "local",
    isolation: bwrap === null ? "none" : "bubblewrap",
    chargesWhileIdle: false,
    unenforced: cgroups.unenforced,
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
    const error = tryBubblewrap(found, { work, etc: dir, mounts: [], toolchain });
    await rm(work, { recursive: true, force: true });
    return error === null ? { bwrap: found } : { error };
  }
}
