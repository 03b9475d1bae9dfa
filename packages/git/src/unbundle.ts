import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { Fault } from "@agentswarm/contracts";
import { CONTENT_LIMITS, GIT_LIMITS } from "./content-limits.ts";
import { runGit } from "./run-git.ts";

/** A header has one line for each ref and each missing parent. */
const LONGEST_HEADER = 64 * 1024;
/** Git does not hold larger blobs in memory while it unpacks them, and keeps fewer delta bases. */
const SMALL_MEMORY = ["core.bigFileThreshold=16m", "core.deltaBaseCacheLimit=32m"];

/**
 * Unpacks a bundle's objects into a bare repository. Git checks each object strictly, and that the objects it refers to
 * exist. No ref is made. (Not by `git fetch`: for a bundle it obeys transfer.fsckObjects only from git 2.46 on.) Returns
 * the commits that the bundle names. Throws Fault `git.refused` or `git.failed`.
 */
export async function unbundle(dir: string, bundlePath: string): Promise<string[]> {
  const header = await readHeader(bundlePath);
  const pack = createReadStream(bundlePath, { start: header.length });
  await runGit(
    [
      "index-pack",
      "--stdin",
      "--fix-thin",
      "--strict",
      "--threads=1",
      `--max-input-size=${CONTENT_LIMITS.packBytes}`,
    ],
    {
      cwd: dir,
      input: pack,
      config: SMALL_MEMORY,
      limits: GIT_LIMITS,
    },
  );
  // gitformat-bundle: `-<commit> <comment>` is a prerequisite, `<commit> <ref>` is in the bundle.
  return header.split("\n").flatMap((line) => /^([0-9a-f]{40}) /.exec(line)?.[1] ?? []);
}

async function readHeader(bundlePath: string): Promise<string> {
  const file = await open(bundlePath);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(LONGEST_HEADER), 0, LONGEST_HEADER, 0);
    const text = buffer.toString("latin1", 0, bytesRead);
    const end = text.indexOf("\n\n");
    if (!/^# v[23] git bundle\n/.test(text) || end === -1) {
      throw new Fault("git.refused", "it is not a git bundle");
    }
    return text.slice(0, end + 2);
  } finally {
    await file.close();
  }
}
