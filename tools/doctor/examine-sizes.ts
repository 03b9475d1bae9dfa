import { opendir, stat, statfs } from "node:fs/promises";
import { join } from "node:path";
import type { Environment } from "@agentswarm/service";
import { SERVICE_SCHEMAS } from "../local/service-environment.ts";
import type { DoctorSettings } from "./config.ts";
import { ok, warn, type Finding } from "./finding.ts";

const { api, dispatcher } = SERVICE_SCHEMAS;
/** The settings by which things are removed, with their defaults. */
const DAYS = {
  ATTEMPT_DAYS: dispatcher.shape.ATTEMPT_DAYS,
  TRANSCRIPT_DAYS: dispatcher.shape.TRANSCRIPT_DAYS,
  BUNDLE_DAYS: dispatcher.shape.BUNDLE_DAYS,
  DEPENDENCY_DAYS: dispatcher.shape.DEPENDENCY_DAYS,
  EVENT_ARCHIVE_DAYS: api.shape.EVENT_ARCHIVE_DAYS,
};

/** What lies under SWARM_HOME, by its folders. */
const KEPT: readonly (readonly [name: string, folder: string, setting: keyof typeof DAYS | null])[] = [
  ["attempts", "store.git", "ATTEMPT_DAYS"],
  ["transcripts", "artifacts/transcripts", "TRANSCRIPT_DAYS"],
  ["event archive", "artifacts/events", "EVENT_ARCHIVE_DAYS"],
  ["bundles", "bundles", "BUNDLE_DAYS"],
  ["dependencies", "deps", "DEPENDENCY_DAYS"],
  ["mirrors", "mirrors", null],
  ["origin", "origin.git", null],
  ["Redis on disk", "redis", null],
  ["sandboxes", "sandboxes", null],
  ["logs", "logs", null],
];

/** A folder with more files than this is shown as "more than". */
const MOST_FILES = 300_000;
/** So little room is warned about. */
const LITTLE_BYTES = 2 * 1024 ** 3;

/** The size of everything that is kept on this machine with the days for which it is kept, and the room that is left. */
export async function examineSizes(settings: DoctorSettings, env: Environment): Promise<Finding[]> {
  const { SWARM_HOME: home } = settings;
  const findings: Finding[] = [];
  for (const [name, folder, setting] of KEPT) {
    const dir = name === "attempts" && env["SWARM_STORE_URL"] ? env["SWARM_STORE_URL"] : join(home, folder);
    const size = await sizeOf(dir);
    if (size === null) continue;
    const kept = setting === null ? "" : `, kept ${daysOf(setting, env)} days (${setting})`;
    findings.push(ok(name, `${formatSize(size)}${kept}`));
  }
  const room = await statfs(home).catch(() => null);
  if (room === null) return findings;
  const free = room.bavail * room.bsize;
  const detail = `${formatBytes(free)} free at ${home}`;
  const fix = "free space, or keep less: the settings that end in _DAYS (docs/operations.md, What is kept)";
  return [...findings, free < LITTLE_BYTES ? warn("disk", detail, fix) : ok("disk", detail)];
}

function daysOf(setting: keyof typeof DAYS, env: Environment): string {
  const value = env[setting]?.trim();
  const parsed = DAYS[setting].safeParse(value === "" ? undefined : value);
  return parsed.success ? String(parsed.data) : `${value ?? ""} (invalid)`;
}

interface Size {
  readonly bytes: number;
  readonly files: number;
}

/** What a folder takes on the disk; null: there is none. A file that is linked several times counts once for each link. */
async function sizeOf(dir: string): Promise<Size | null> {
  const opened = await opendir(dir, { recursive: true }).catch(() => null);
  if (opened === null) return null;
  let bytes = 0;
  let files = 0;
  try {
    for await (const entry of opened) {
      if (!entry.isFile()) continue;
      // It may be removed meanwhile.
      const found = await stat(join(entry.parentPath, entry.name)).catch(() => null);
      bytes += found === null ? 0 : found.blocks * 512;
      files += 1;
      if (files > MOST_FILES) break;
    }
  } catch {
    // A folder that was removed meanwhile ends the listing: what was counted is shown.
  }
  return { bytes, files };
}

function formatSize({ bytes, files }: Size): string {
  const text = `${formatBytes(bytes)} in ${Math.min(files, MOST_FILES).toLocaleString("en")} files`;
  return files > MOST_FILES ? `more than ${text}` : text;
}

/** For example "1.2 GiB". */
export function formatBytes(bytes: number): string {
  const units = ["KiB", "MiB", "GiB", "TiB"];
  let amount = bytes / 1024;
  let unit = 0;
  while (amount >= 1024 && unit < units.length - 1) {
    amount /= 1024;
    unit += 1;
  }
  return `${amount >= 100 || unit === 0 ? Math.round(amount) : amount.toFixed(1)} ${units[unit] ?? ""}`;
}
