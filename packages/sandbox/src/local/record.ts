import { readdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { SandboxInfo, SandboxLabels } from "../sandbox.ts";
import { describeProcess, isRunning, type Owner } from "./owner.ts";

/**
 * Who opened a sandbox: one file beside its folder, written before the folder is made and removed after it, so that a
 * folder without an owner cannot be.
 */
interface SandboxRecord {
  readonly labels: SandboxLabels;
  readonly owner: Owner;
}

const SUFFIX = ".json";
const FRESH = ".fresh";
const WRITTEN_WITHIN_MS = 60_000;

export function writeRecord(root: string, id: string, labels: SandboxLabels): void {
  const record: SandboxRecord = { labels, owner: describeProcess(process.pid) };
  writeFileSync(join(root, id + SUFFIX), JSON.stringify(record), { flag: "wx" });
}

/** Writes this process's own sandbox's record anew, at once as a whole. Throws when the sandbox is gone. */
export function rewriteRecord(root: string, id: string, labels: SandboxLabels): void {
  const file = join(root, id + SUFFIX);
  statSync(file);
  const record: SandboxRecord = { labels, owner: describeProcess(process.pid) };
  writeFileSync(file + FRESH, JSON.stringify(record));
  renameSync(file + FRESH, file);
}

/** Removes a sandbox's folder and then its record. */
export async function removeRecorded(root: string, id: string): Promise<void> {
  await rm(join(root, id), { recursive: true, force: true, maxRetries: 3 });
  await rm(join(root, id + SUFFIX + FRESH), { force: true });
  await rm(join(root, id + SUFFIX), { force: true });
}

/** Every recorded sandbox, and whether the process that opened it is gone. */
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
    const { labels, owner } = JSON.parse(readFileSync(file, "utf8")) as SandboxRecord;
    return { id, labels, orphaned: !isRunning(owner) };
  } catch {
    // It was removed meanwhile, or is being written, or its owner died while it wrote.
    const written = statSync(file, { throwIfNoEntry: false })?.mtimeMs;
    if (written === undefined || Date.now() - written < WRITTEN_WITHIN_MS) return null;
    const swarm = id.replace(/-[0-9a-f]{8}-[0-9a-f]{4}$/, "");
    return { id, labels: { swarm, purpose: "unknown" }, orphaned: true };
  }
}
