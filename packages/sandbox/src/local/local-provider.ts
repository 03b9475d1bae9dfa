import { randomUUID } from "node:crypto";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Fault } from "@agentswarm/contracts";
import type { Sandbox, SandboxProvider } from "../sandbox.ts";
import { tryBubblewrap, writeEtc } from "./bubblewrap.ts";
import { findControlGroups } from "./cgroup.ts";
import { groupOf, openLocalSandbox, type LocalHost } from "./local-sandbox.ts";
import { readRecords, removeRecorded } from "./record.ts";
import { findBubblewrap, findToolchain } from "./toolchain.ts";

export interface LocalProviderOptions {
  /** SWARM_HOME; sandboxes lie in its `sandboxes` folder. */
  readonly home: string;
  /** Folder with a `bin` of unpacked tools. */
  readonly tools?: string | undefined;
  readonly swarm: string;
  readonly allowUnisolated: boolean;
  /** For the contract suite: leaves bubblewrap out even where it works. */
  readonly withoutBubblewrap?: boolean;
}

/**
 * Sandboxes on this machine, by bubblewrap. It counts only if a trial run works; otherwise programs run without
 * isolation when that was allowed, and Fault `sandbox.unavailable` says what to do when not.
 */
export async function openLocalProvider(options: LocalProviderOptions): Promise<SandboxProvider> {
  const root = join(options.home, "sandboxes");
  await mkdir(root, { recursive: true });
  const toolchain = findToolchain(options.tools);
  const etc = await writeEtc(join(options.home, "sandbox-etc"));
  const trial = options.withoutBubblewrap ? { why: "left out on purpose" } : await findWorking(options, etc);
  if ("why" in trial && !options.allowUnisolated) {
    throw new Fault(
      "sandbox.unavailable",
      `SANDBOX_PROVIDER=local needs bubblewrap (${trial.why}): apt-get install bubblewrap and allow user namespaces, or set ALLOW_UNISOLATED=true to run agents with your own rights`,
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
      // Isolated processes died with the one that opened it; others may live on in its control group.
      await cgroups.remove(groupOf(id));
      await removeRecorded(root, id);
    },
  };

  async function findWorking(
    { tools }: LocalProviderOptions,
    dir: string,
  ): Promise<{ bwrap: string } | { why: string }> {
    const found = findBubblewrap(tools);
    if (found === null) return { why: "it was not found" };
    const work = await mkdtemp(join(tmpdir(), "swarm-trial-"));
    const why = tryBubblewrap(found, { work, etc: dir, mounts: [], toolchain });
    await rm(work, { recursive: true, force: true });
    return why === null ? { bwrap: found } : { why };
  }
}
