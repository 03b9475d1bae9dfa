import { execFile } from "node:child_process";
import { readdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { z } from "zod";
import { describeProcess, ownerSchema, ownerState } from "@agentswarm/contracts/node";
import type { SandboxInfo, SandboxLabels } from "../sandbox.ts";

/**
 * The owner of a sandbox: a file beside the sandbox's folder, written before the folder is made and removed after it, so
 * that there is no folder without an owner.
 */
const recordSchema = z.object({
  labels: z.object({
    swarm: z.string(),
    purpose: z.string(),
    task: z.string().optional(),
    attempt: z.string().optional(),
  }),
  owner: ownerSchema,
  /** Unix time in ms after which everything in the sandbox was killed by its wall time. Older records have none. */
  endsAt: z.number().default(0),
});

type SandboxRecord = z.infer<typeof recordSchema>;

const run = promisify(execFile);

const SUFFIX = ".json";
const TEMPORARY = ".fresh";
/** A record that cannot be read may be one that is being written. */
const WRITTEN_WITHIN_MS = 60_000;
/** For owners of other hosts, which may share SWARM_HOME: their clocks may differ, and they may still read results. */
const OTHER_HOST_MARGIN_MS = 3_600_000;

export function writeRecord(root: string, id: string, labels: SandboxLabels, endsAt: number): void {
  const record: SandboxRecord = { labels, owner: describeProcess(process.pid), endsAt };
  writeFileSync(join(root, id + SUFFIX), JSON.stringify(record), { flag: "wx" });
}

/** Replaces the record of this process's own sandbox atomically. Throws when the sandbox is gone. */
export function replaceRecord(root: string, id: string, labels: SandboxLabels, endsAt: number): void {
  const file = join(root, id + SUFFIX);
  statSync(file);
  const record: SandboxRecord = { labels, owner: describeProcess(process.pid), endsAt };
  writeFileSync(file + TEMPORARY, JSON.stringify(record));
  renameSync(file + TEMPORARY, file);
}

/** Removes a sandbox's folder and then its record. */
export async function removeRecorded(root: string, id: string): Promise<void> {
  const dir = join(root, id);
  const remove = () => rm(dir, { recursive: true, force: true, maxRetries: 3 });
  await remove().catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== "EACCES") throw error;
    // Programs may close folders to their owner, who is an ordinary user. chmod -R follows no link.
    await run("chmod", ["-R", "u+rwX", dir]).catch(() => undefined);
    await remove();
  });
  await rm(join(root, id + SUFFIX + TEMPORARY), { force: true });
  await rm(join(root, id + SUFFIX), { force: true });
}

/** Lists every recorded sandbox. */
export function readRecords(root: string): SandboxInfo[] {
  return readdirSync(root).flatMap((name) => {
    if (!name.endsWith(SUFFIX)) return [];
    const id = name.slice(0, -SUFFIX.length);
    return readRecord(root, id) ?? [];
  });
}

function readRecord(root: string, id: string): SandboxInfo | null {
  const file = join(root, id + SUFFIX);
  try {
    const record = recordSchema.parse(JSON.parse(readFileSync(file, "utf8")));
    return { id, labels: record.labels, orphaned: isOrphaned(record) };
  } catch {
    // It was removed in between, or is being written, or its owner died while writing it.
    const written = statSync(file, { throwIfNoEntry: false })?.mtimeMs;
    if (written === undefined || Date.now() - written < WRITTEN_WITHIN_MS) return null;
    const swarm = id.replace(/-[0-9a-f]{8}-[0-9a-f]{4}$/, "");
    return { id, labels: { swarm, purpose: "unknown" }, orphaned: true };
  }
}

/** An owner on another host cannot be looked up here, so its sandbox is kept until its wall time is long over. */
function isOrphaned({ owner, endsAt }: SandboxRecord): boolean {
  const state = ownerState(owner);
  return state === "unknown" ? Date.now() > endsAt + OTHER_HOST_MARGIN_MS : state === "gone";
}
