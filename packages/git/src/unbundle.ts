import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { Fault } from "@agentswarm/contracts";
import { runGit } from "./run-git.ts";

/** An honest header has a line for each ref and each missing parent. */
const LONGEST_HEADER = 64 * 1024;
/** Larger blobs are not held in memory while they are unpacked. */
const LARGE = "core.bigFileThreshold=16m";

/**
 * Unpacks a bundle's objects into a bare repository: every one is checked as strictly as git can, and whatever it
 * refers to must be there. No ref is made. (`git fetch` from a bundle, too, but it heeds transfer.fsckObjects only
 * from git 2.46 on.) Gives back the commits the bundle names. Throws Fault `git.refused` or `git.failed`.
 */
export async function unbundle(dir: string, bundlePath: string): Promise<string[]> {
  const header = await readHeader(bundlePath);
  const pack = createReadStream(bundlePath, { start: header.length });
  await runGit(["index-pack", "--stdin", "--fix-thin", "--strict"], {
    cwd: dir,
    input: pack,
    config: [LARGE],
  });
  // gitformat-bundle: `-<commit> <comment>` is needed, `<commit> <ref>` is brought.
  return header.split("\n").flatMap((line) => /^([0-9a-f]{40}) /.exec(line)?.[1] ?? []);
}

async function readHeader(bundlePath: string): Promise<string> {
  const file = await open(bundlePath);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(LONGEST_HEADER), 0, LONGEST_HEADER, 0);
    const text = buffer.toString("latin1", 0, bytesRead);
    const end = text.indexOf("\n\n");
    if (!/^# v[23] git bundle\n/.test(text) || end === -1) {
      throw new Fault("git.refused", "it is no git bundle");
    }
    return text.slice(0, end + 2);
  } finally {
    await file.close();
  }
}
