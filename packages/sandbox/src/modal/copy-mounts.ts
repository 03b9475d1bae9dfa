import { spawn } from "node:child_process";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { once } from "node:events";
import type { Readable } from "node:stream";
import { Fault } from "@agentswarm/contracts";
import type { Mount } from "../sandbox.ts";
import { ERROR_TAIL_CHARS, openTail } from "../streams/tail.ts";
import { runOrThrow, type Box } from "./box.ts";
import { PUT_FILE, PUT_FOLDER } from "./scripts.ts";

/** Copies files and folders of this machine into a sandbox's work folder, where the guest can read but not change them. */
export async function copyMounts(box: Box, mounts: readonly Mount[]): Promise<void> {
  await Promise.all(mounts.map((mount) => copyMount(box, mount)));
}

async function copyMount(box: Box, { from, at }: Mount): Promise<void> {
  const isFolder = (await stat(from)).isDirectory();
  if (!isFolder) {
    await runOrThrow(box, `copy ${at}`, ["sh", "-c", PUT_FILE, "sh", at], () => createReadStream(from));
    return;
  }
  let packed: Promise<void> = Promise.resolve();
  await runOrThrow(box, `copy ${at}`, ["sh", "-c", PUT_FOLDER, "sh", at], () => {
    const packing = packFolder(from);
    packed = packing.done;
    packed.catch(() => undefined);
    return packing.stream;
  });
  await packed;
}

/** Packs a folder; `done` rejects when the folder could not be packed completely. */
function packFolder(from: string): { readonly stream: Readable; readonly done: Promise<void> } {
  const tar = spawn("tar", ["-C", from, "-czf", "-", "."], { stdio: ["ignore", "pipe", "pipe"] });
  const { stdout, stderr } = tar;
  const errors = openTail(ERROR_TAIL_CHARS);
  stderr.on("data", (chunk: Buffer) => errors.add(chunk.toString()));
  const done = (async () => {
    const [code] = (await once(tar, "close")) as [number | null];
    if (code !== 0)
      throw new Fault("internal", `could not pack ${from} (tar exit ${code}): ${errors.text()}`);
  })();
  // When the reader stops before the end, tar is stopped too.
  stdout.once("close", () => {
    if (!stdout.readableEnded) tar.kill("SIGKILL");
  });
  return { stream: stdout, done };
}
